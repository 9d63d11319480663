"""Plans: which VUs are needed when, and how far a scenario has come."""

from __future__ import annotations

from typing import ClassVar

import pytest

from jsrunner.executors.arrivals import Arrivals, Ramp, RateProfile
from jsrunner.executors.plan import Interval, PerVU, ScenarioPlan, SharedTotal, Steady, Unlimited
from jsrunner.options.segment import Striping

WHOLE = Striping(None, None)


class Listed:
    """A schedule as a list for each VU."""

    is_uniform: ClassVar[bool] = False

    def __init__(self, *intervals: tuple[Interval, ...]) -> None:
        self._intervals = intervals

    def intervals(self, index: int) -> tuple[Interval, ...]:
        return self._intervals[index]


def plan(
    schedule: Listed | Steady,
    iterations: Unlimited | PerVU | SharedTotal | Arrivals | None = None,
    vus: int = 3,
) -> ScenarioPlan:
    return ScenarioPlan(
        striping=WHOLE,
        start_time=5.0,
        vus=vus,
        schedule=schedule,
        iterations=iterations or Unlimited(),
        duration=10.0,
        graceful_stop=2.0,
        numbering=WHOLE,
    )


def test_a_steady_schedule_is_the_same_for_all_vus() -> None:
    steady = plan(Steady(1.0, 2.0))
    assert steady.intervals(0) == steady.intervals(2) == (Interval(0.0, 1.0, 2.0),)
    assert steady.latest_end == 17.0


def test_a_vu_is_busy_from_its_start_to_the_end_of_its_graceful_period() -> None:
    first = (Interval(0, 1, 2), Interval(3, 4, 4), Interval(5, 6, 9), Interval(7, 8, 9))
    chained = (Interval(0, 1, 9), Interval(1, 2, 9), Interval(2, 3, 9))
    listed = plan(Listed(first, chained, ()))
    assert list(listed.busy(0)) == [(0, 2), (3, 4), (5, 9)]
    assert list(listed.busy(1)) == [(0, 9)]
    assert list(listed.busy(2)) == []


@pytest.mark.parametrize(
    ("iterations", "elapsed", "completed", "progress"),
    [
        (Unlimited(), 2.5, 100, 0.25),
        (Unlimited(), 12.0, 0, 1.0),
        (PerVU(4), 1.0, 6, 0.5),
        (SharedTotal(24), 1.0, 6, 0.25),
        (SharedTotal(0), 1.0, 0, 1.0),
        (Arrivals(RateProfile((Ramp(10.0, 1.0, 1.0),), at_once=True), WHOLE, 9), 5.0, 1, 0.5),
    ],
)
def test_progress_is_of_iterations_where_their_number_is_known(
    iterations: Unlimited | PerVU | SharedTotal | Arrivals,
    elapsed: float,
    completed: int,
    progress: float,
) -> None:
    assert plan(Steady(10.0, 12.0), iterations).progress(elapsed, completed) == progress


def test_arrival_rates_may_have_more_vus() -> None:
    arrivals = Arrivals(RateProfile((), at_once=True), WHOLE, 9)
    assert plan(Steady(10.0, 12.0), arrivals).max_vus == 9
    assert plan(Steady(10.0, 12.0)).max_vus == 3
