"""A run, or the comparison of two, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from .advice import advice
from .compare import Comparison
from .model import Metric, Run

_NANOSECONDS = (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0))


def shown(value: float | None, unit: str) -> str:
    """A figure with three digits, times in a unit that suits them."""
    if value is None:
        return ""
    if unit == "ns":
        name, size = next(
            ((name, size) for name, size in _NANOSECONDS if abs(value) >= size), ("ns", 1.0)
        )
        return f"{_digits(value / size)} {name}"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def run_table(metrics: Sequence[Metric]) -> list[str]:
    """Medians of the rounds, and how far these are apart."""
    lines = ["| metric | median | spread | rounds | |", "| --- | ---: | ---: | ---: | --- |"]
    lines += [
        f"| {one.name} | {shown(one.median, one.unit)} | ±{one.spread:.1%} | {len(one.rounds)} "
        f"| {one.note} |"
        for one in metrics
    ]
    return lines


def run_report(run: Run) -> str:
    """What was measured, where, and what to do about it."""
    parts = [f"# {run.what}", "", *environment_lines(run), "", *run_table(run.metrics), ""]
    parts += ["## Advice", "", *(f"- {one}" for one in advice(run.facts) or ["nothing to say"])]
    if run.profile:
        parts += ["", "## Profile", "", "```text", run.profile.rstrip(), "```"]
    return "\n".join(parts) + "\n"


def environment_lines(run: Run) -> list[str]:
    return [f"- {name}: {value}" for name, value in run.environment.items()]


def comparison_table(comparisons: Sequence[Comparison]) -> list[str]:
    lines = [
        "| metric | before | after | worse by | noise | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for one in comparisons:
        verdict = f"**{one.verdict}**" if one.is_failing else one.verdict
        before, after = shown(one.before, one.unit), shown(one.after, one.unit)
        lines.append(
            f"| {one.name} | {before} | {after} | {one.worse:+.1%} | {one.noise:.1%} | {verdict} |"
        )
    return lines


def comparison_report(comparisons: Sequence[Comparison], before: Run, after: Run) -> str:
    """Each metric, and the verdict in the last line."""
    lines = comparison_table(comparisons)
    different = {
        name: (before.environment.get(name, ""), after.environment.get(name, ""))
        for name in ("processor", "cores", "python", "loop", "system")
        if before.environment.get(name) != after.environment.get(name)
    }
    lines += [
        f"\nnote: {name} was {one!r} and is {other!r}" for name, (one, other) in different.items()
    ]
    failing = [one.name for one in comparisons if one.is_failing]
    lines.append("")
    lines.append(
        f"{len(failing)} of {len(comparisons)} metrics became worse: {', '.join(failing)}"
        if failing
        else f"none of {len(comparisons)} metrics became worse beyond the noise"
    )
    return "\n".join(lines) + "\n"
