"""Changes, and how often noise is taken for one."""

from __future__ import annotations

import random
from array import array
from statistics import fmean
from typing import TYPE_CHECKING

import pytest
from report_lines import END, HEAD, RUN, written

from jsrunner.errors import UsageError
from jsrunner.record.sketch import count_values, pack
from jsrunner.report.compare import Change, compare, error_of, parse_condition, quantile
from jsrunner.report.figures import MetricFigures, figures_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(4, 2.776), (5, 2.571), (10, 2.228), (19, 2.093), (38, 2.024), (1e6, 1.960)],
)
def test_the_quantiles_of_student(freedom: float, expected: float) -> None:
    assert quantile(freedom) == pytest.approx(expected, rel=0.004)


def test_the_interval_holds_the_difference_in_95_of_100_cases() -> None:
    generator = random.Random(1)
    held = 0
    for _ in range(2000):
        before = [generator.gauss(100, 10) for _ in range(10)]
        after = [generator.gauss(105, 20) for _ in range(8)]
        change = fmean(after) - fmean(before)
        held += abs(change - 5) <= error_of(before, after)
    assert 0.93 < held / 2000 < 0.97


def test_figures_without_any_noise() -> None:
    assert error_of([1, 1, 1], [2, 2, 2]) == 0


def figures(
    value: float, batches: list[float], runs: list[float] | None = None
) -> dict[str, MetricFigures]:
    each = MetricFigures("trend", "time", {"avg": value}, {"avg": batches}, {"avg": runs or [value]})
    return {"m": each}


def test_a_change_beyond_the_noise() -> None:
    (change,) = compare(figures(10, [9, 10, 11, 10, 10]), figures(20, [19, 20, 21, 20, 20]))
    assert (change.verdict, change.change) == ("changed", 1)
    assert change.interval is not None
    assert 0.8 < change.interval[0] < 1 < change.interval[1] < 1.2


def test_the_interval_is_around_the_change() -> None:
    """Percentiles of batches are not those of the run: they say how sure the change is, not how large."""
    (change,) = compare(figures(10, [8, 9, 10, 8, 9]), figures(12, [9, 10, 11, 9, 10]))
    assert change.interval is not None
    assert sum(change.interval) / 2 == pytest.approx(change.change) == pytest.approx(0.2)


def test_noise() -> None:
    (change,) = compare(figures(10, [5, 15, 8, 12, 10]), figures(11, [6, 16, 9, 13, 11]))
    assert change.verdict == "noise"


def test_runs_take_the_place_of_batches() -> None:
    steady, shifted = [10.0] * 20, [11.0] * 20
    (change,) = compare(figures(10, steady, [8, 10, 12]), figures(11, shifted, [9, 11, 13]))
    assert change.verdict == "noise"
    (change,) = compare(figures(10, steady, [8, 12]), figures(11, shifted, [9, 13]))
    assert change.verdict == "changed"


def test_too_little_is_known() -> None:
    (change,) = compare(figures(10, []), figures(11, [11] * 20))
    assert (change.verdict, change.interval) == ("unknown", None)
    (change,) = compare(figures(0, []), figures(0, []))
    assert (change.verdict, change.change) == ("noise", 0)


def change_of(part: float, verdict: str = "changed", statistic: str = "p(95)") -> Change:
    return Change("m", statistic, "time", 1, 1 + part, part, None, verdict)


@pytest.mark.parametrize(
    ("text", "part", "fails"),
    [
        ("p(95)>+10%", 0.2, True), ("p(95)>10%", 0.05, False), ("m:p(95) > 10 %", 0.2, True),
        ("p(95)<-5%", -0.1, True), ("p(95)<-5%", 0.1, False), ("p(95)>+10%", float("inf"), True),
    ],
)  # fmt: skip
def test_conditions(text: str, part: float, fails: bool) -> None:
    condition = parse_condition(text)
    assert condition.concerns(change_of(part))
    assert condition.holds(change_of(part)) is fails
    assert condition.holds(change_of(part, "unknown")) is fails
    assert not condition.holds(change_of(part, "noise"))


def test_what_a_condition_is_not_about() -> None:
    assert not parse_condition("p(95)>1%").concerns(change_of(1, statistic="avg"))
    assert not parse_condition("other:p(95)>1%").concerns(change_of(1))


@pytest.mark.parametrize("text", ["", "p(95)", "p(95)>10", "foo>1%", "p(95)==1%", "p(95)>+10%x"])
def test_wrong_conditions(text: str) -> None:
    with pytest.raises(UsageError, match="invalid condition"):
        parse_condition(text)


def noisy(path: Path, generator: random.Random, factor: float = 1.0) -> str:
    """A record of a minute: 50 lognormal times and a random number of iterations each second."""
    series = [
        {"kind": "series", "number": number, "metric": metric, "type": type_, "contains": "time", "tags": {}}
        for number, (metric, type_) in enumerate((("my_time", "trend"), ("iterations", "counter")))
    ]  # fmt: skip
    steps = []
    for at in range(62):
        values = array("d", (factor * generator.lognormvariate(4, 0.5) for _ in range(50)))
        figures = [len(values), sum(values), min(values), max(values), pack(count_values(values))]
        rows = [[0, *figures], [1, generator.gauss(100, 10)]]
        steps.append({"kind": "step", "at": at, "rows": rows})
    return written(path, [HEAD, RUN, *series, *steps, END])


def test_runs_that_do_not_differ_are_noise(tmp_path: Path) -> None:
    """Of all statistics of 60 pairs of such runs one of 20 is called a change, as the interval promises."""
    generator, called, count = random.Random(7), 0, 0
    for _ in range(60):
        sides = [figures_of([noisy(tmp_path / name, generator)]) for name in ("a.jsr", "b.jsr")]
        judged = [change for change in compare(*sides) if change.verdict != "unknown"]
        called += sum(change.verdict == "changed" for change in judged)
        count += len(judged)
    assert count == 360
    assert 0.02 < called / count < 0.09


def test_a_run_that_is_slower_is_seen(tmp_path: Path) -> None:
    generator = random.Random(7)
    base, slow = (
        figures_of([noisy(tmp_path / name, generator, factor)])
        for name, factor in (("a.jsr", 1.0), ("b.jsr", 1.15))
    )
    verdicts = {(each.metric, each.statistic): each.verdict for each in compare(base, slow)}
    assert {verdicts["my_time", name] for name in ("avg", "med", "p(90)", "p(95)")} == {"changed"}
    assert verdicts["iterations", "rate"] == "noise"
    assert verdicts["my_time", "max"] == "unknown"
