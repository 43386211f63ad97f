"""Plots as SVG, without a library: latencies by percentile, and the rounds of a metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .histogram import Histogram
from .markdown import shown

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 80, 16, 12, 36
COLORS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df")
# Where the horizontal axis has ticks: each nine more is one step to the right.
PERCENTILES = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99)


def percentiles(histograms: Sequence[tuple[str, Histogram]]) -> str:
    """Latency over percentile, both on logarithmic axes; one line for each histogram."""
    filled = [(name, one) for name, one in histograms if one.count]
    if not filled:
        return ""
    last = max(_nines(100 - 100 / one.count) for _, one in filled) or 1.0
    values = [one.percentile(p) for _, one in filled for p in (0.0, 100.0)]
    low, high = math.log10(max(min(values), 1)), math.log10(max(*values, 2))
    span = (high - low) or 1.0

    def x(percent: float) -> float:
        return LEFT + min(_nines(percent) / last, 1.0) * (WIDTH - LEFT - RIGHT)

    def y(nanoseconds: float) -> float:
        part = (math.log10(max(nanoseconds, 1)) - low) / span
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    parts = [
        *(_tick_below(x(p), f"{p:g} %") for p in PERCENTILES if _nines(p) <= last),
        *(
            _tick_left(y(10**power), shown(10**power, "ns"))
            for power in range(math.ceil(low), math.floor(high) + 1)
        ),
    ]
    for number, (name, one) in enumerate(filled):
        steps = [100 - 100 * 10 ** -(step / 24 * last) for step in range(25)]
        points = " ".join(f"{x(p):.1f},{y(one.percentile(p)):.1f}" for p in steps)
        color = COLORS[number % len(COLORS)]
        parts.append(f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{points}"/>')
        parts.append(_label(LEFT + 8, TOP + 14 + 16 * number, name, color))
    return _svg(parts)


def rounds(values: Sequence[float], unit: str) -> str:
    """A small bar for each round, from zero, and the median as a line."""
    width, height, step = 160, 28, 160 / max(len(values), 1)
    top = max(*values, 0.0) if len(values) > 1 else max(values[0], 0.0)
    scale = height / top if top else 0.0
    middle = sorted(values)[len(values) // 2]
    bars = "".join(
        f'<rect x="{number * step:.1f}" y="{height - value * scale:.1f}" '
        f'width="{step * 0.8:.1f}" height="{value * scale:.1f}" fill="#8db4f5">'
        f"<title>{escape(shown(value, unit))}</title></rect>"
        for number, value in enumerate(values)
    )
    line = height - middle * scale
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">{bars}'
        f'<line x1="0" x2="{width}" y1="{line:.1f}" y2="{line:.1f}" stroke="#d1242f"/></svg>'
    )


def _nines(percent: float) -> float:
    """How many nines a percentile has: 0 for 0 %, 1 for 90 %, 2 for 99 %."""
    return -math.log10(max(1 - percent / 100, 1e-9))


def _tick_below(x: float, text: str) -> str:
    bottom = HEIGHT - BOTTOM
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}" stroke="#8888" />'
        f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{escape(text)}</text>'
    )


def _tick_left(y: float, text: str) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8888"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
    )


def _label(x: float, y: float, text: str, color: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}">{escape(text)}</text>'


def _svg(parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'
