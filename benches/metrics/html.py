"""A run as one HTML file that loads nothing: tables, plots, advice."""

from __future__ import annotations

from html import escape

from .advice import advice
from .histogram import Histogram
from .markdown import shown
from .model import Metric, Run
from .plot import percentiles, rounds

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #8884 }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
svg text { font: 12px system-ui, sans-serif; fill: currentColor }
svg[viewBox] { max-width: 100% }
pre { overflow-x: auto; font-size: 12px }
.note { opacity: .7 }
"""


def page(run: Run) -> str:
    """The whole document."""
    title = escape(run.what)
    told = "".join(f"<li>{escape(one)}</li>" for one in advice(run.facts) or ["nothing to say"])
    rows = "".join(map(_row, run.metrics))
    place = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in run.environment.items()
    )
    profile = f"<h2>Profile</h2><pre>{escape(run.profile)}</pre>" if run.profile else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1><h2>Advice</h2><ul>{told}</ul>{_latencies(run)}"
        "<h2>Metrics</h2><table><tr><th>metric</th><th>median</th><th>spread</th><th>rounds</th>"
        f"</tr>{rows}</table>{profile}<h2>Where</h2><table>{place}</table></body></html>\n"
    )


def _latencies(run: Run) -> str:
    histograms = [
        (one.name.removesuffix(", p50"), Histogram.decode(one.histogram))
        for one in run.metrics
        if one.histogram is not None
    ]
    plot = percentiles(histograms)
    return f"<h2>Latencies by percentile</h2>{plot}" if plot else ""


def _row(metric: Metric) -> str:
    note = f' <span class="note">{escape(metric.note)}</span>' if metric.note else ""
    return (
        f"<tr><td>{escape(metric.name)}{note}</td>"
        f'<td class="number">{escape(shown(metric.median, metric.unit))}</td>'
        f'<td class="number">±{metric.spread:.1%}</td>'
        f"<td>{rounds(metric.rounds, metric.unit)}</td></tr>"
    )
