"""A real regression fails, noise does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benches.metrics.__main__ import main
from benches.metrics.compare import Verdict, compare
from benches.metrics.model import Better, Metric, Run, save

from .metrics import exact, noisy, run

pytestmark = pytest.mark.slow


def verdict(before: Metric, after: Metric) -> Verdict:
    (comparison,) = compare(run(before), run(after))
    return comparison.verdict


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.05])
def test_a_real_regression(noise: float) -> None:
    """A third slower, at any noise that rounds usually have."""
    verdicts = [
        verdict(noisy(1000, noise, 2 * n), noisy(1333, noise, 2 * n + 1)) for n in range(50)
    ]
    assert verdicts == ["regression"] * 50


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.05, 0.2])
def test_noise_is_no_regression(noise: float) -> None:
    """Of 200 pairs of the same, at most a few in a hundred fail."""
    pairs = [(noisy(1000, noise, 2 * n), noisy(1000, noise, 2 * n + 1)) for n in range(200)]
    failing = sum(verdict(*pair) == "regression" for pair in pairs)
    assert failing <= 6


def test_a_small_change_in_much_noise_is_no_regression() -> None:
    before = exact([100, 150, 90, 160, 110, 140, 95])
    after = exact([120, 160, 100, 170, 115, 150, 105])
    assert verdict(before, after) == "same"


@pytest.mark.parametrize(
    ("better", "after", "expected"),
    [
        ("lower", 1100, "regression"),
        ("lower", 900, "improvement"),
        ("higher", 900, "regression"),
        ("higher", 1100, "improvement"),
        ("lower", 1049, "same"),
        ("higher", 951, "same"),
    ],
)
def test_what_is_better(better: Better, after: float, expected: Verdict) -> None:
    assert verdict(exact([1000] * 5, better), exact([after] * 5, better)) == expected


def test_from_nothing_to_something() -> None:
    assert verdict(exact([0] * 5), exact([3] * 5)) == "regression"
    assert verdict(exact([0] * 5), exact([0] * 5)) == "same"


def test_too_few_rounds_to_know_the_noise() -> None:
    assert verdict(exact([1000] * 5), exact([2000] * 2)) == "too few rounds"


def test_a_metric_that_is_gone_fails_and_a_new_one_does_not() -> None:
    old, new = exact([1] * 5, name="old"), exact([1] * 5, name="new")
    gone, added = compare(run(old), run(new))
    assert (gone.verdict, gone.is_failing) == ("missing", True)
    assert (added.verdict, added.is_failing) == ("new", False)


def test_what_is_neither_better_nor_worse_is_not_judged() -> None:
    assert compare(run(exact([1] * 5, "neither")), run(exact([9] * 5, "neither"))) == []


def files(folder: Path, before: Run, after: Run) -> list[str]:
    save(before, folder / "before.json")
    save(after, folder / "after.json")
    return ["compare", str(folder / "before.json"), str(folder / "after.json")]


def test_the_command_fails_on_a_regression(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = files(tmp_path, run(exact([1000] * 5)), run(exact([1200] * 5)))
    assert main(arguments) == 1
    out = capsys.readouterr().out
    assert "| latency | 1 us | 1.2 us | +20.0% | 5.0% | **regression** |" in out
    assert "1 of 1 metrics became worse: latency" in out
    assert main([*arguments, "--floor", "25"]) == 0


def test_the_command_passes_without_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(files(tmp_path, run(exact([1000] * 5)), run(exact([1001] * 5)))) == 0
    assert "none of 1 metrics became worse beyond the noise" in capsys.readouterr().out


def test_another_machine_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = Run("a test", (exact([1000] * 5),), environment={"python": "CPython 3.10"})
    main(files(tmp_path, run(exact([1000] * 5)), there))
    assert "note: python was 'CPython 3.13' and is 'CPython 3.10'" in capsys.readouterr().out


def test_a_file_that_is_none_of_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "other.json"
    file.write_text("{}")
    assert main(["compare", str(file), str(file)]) == 2
    assert "make it anew with `python -m benches.metrics run" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "none.json"), str(file)]) == 2
