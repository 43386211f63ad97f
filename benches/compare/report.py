"""The table in Markdown: printed after a run, and as the page `docs/performance.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .outcome import Outcome
from .statistics import Spread

HEAD = ("what", "unit", "ours", "theirs", "ratio by CPU", "ratio by wall", "goal", "")


def table(outcomes: Sequence[Outcome]) -> str:
    """One line for each outcome; ratios with their spread over the rounds."""
    lines = [_row(HEAD), _row(["---"] * len(HEAD))]
    lines += [_row(_cells(outcome)) for outcome in outcomes]
    return "\n".join(lines)


def page(run: Mapping[str, Any]) -> str:
    """The whole page of a run, from its JSON."""
    outcomes = [Outcome.from_json(line) for line in run["lines"]]
    facts = [("date", run["date"]), *run["versions"].items(), *run["machine"].items()]
    return f"""\
# Performance

Written by `python -m benches.compare report FILE` from the run below; do not edit.

    {run["command"]}

{_facts(facts)}

{summary(outcomes)} [benches/README.md](../benches/README.md) says what each line means.
`theirs` are the numbers of the TypeScript SDK, or of what a line names. Both are medians over
{run["rounds"]} rounds, or fewer where one takes long; rates are work per second of the process's
CPU. A ratio is ours to theirs, the median of the rounds and their ends in brackets. A goal for a
rate holds by CPU and by the wall clock.

{table(outcomes)}
{_notes(outcomes)}"""


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many goals hold."""
    verdicts = [outcome.verdict for outcome in outcomes if outcome.goal]
    failed = sum(verdict.startswith("failed") for verdict in verdicts)
    met, missed = verdicts.count("met"), verdicts.count("missed")
    if "ran" in verdicts:
        return f"A quick run, whose numbers mean nothing: {failed} lines failed to run."
    return f"{len(verdicts)} goals: {met} met, {missed} missed, {failed} failed to run."


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return "\n".join([_row(("", "")), _row(("---", "---")), *(_row(fact) for fact in facts)])


def _notes(outcomes: Sequence[Outcome]) -> str:
    notes = [f"- {outcome.name}: {outcome.note}" for outcome in outcomes if outcome.note]
    return "\n" + "\n".join(notes) + "\n" if notes else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(outcome: Outcome) -> list[str]:
    return [
        outcome.name,
        outcome.unit,
        _number(outcome.ours),
        _number(outcome.theirs),
        _ratio(outcome.ratio),
        _ratio(outcome.ratio_by_wall),
        outcome.goal,
        outcome.verdict.replace("|", "/"),
    ]


def _number(spread: Spread | None) -> str:
    if spread is None:
        return ""
    value = spread.median
    for limit, name in ((1e6, " M"), (1e4, " k")):
        if value >= limit:
            return f"{value / (1e6 if name == ' M' else 1e3):,.3g}{name}"
    return f"{value:,.4g}"


def _ratio(spread: Spread | None) -> str:
    if spread is None:
        return ""
    return f"**{spread.median:.2f}** ({spread.low:.2f}..{spread.high:.2f})"
