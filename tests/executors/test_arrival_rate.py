"""The VUs of both arrival rates."""

from __future__ import annotations

import pytest

from jsrunner.executors.arrivals import Arrivals
from jsrunner.executors.constant_arrival_rate import ConstantArrivalRate
from jsrunner.executors.plan import Interval
from jsrunner.options.segment import Striping, parse_segment, parse_sequence

WHOLE = Striping(None, None)


def rate(first: int | None, most: int | None = None) -> ConstantArrivalRate:
    return ConstantArrivalRate(
        name="s", rate=10, duration=2.0, pre_allocated_vus=first, max_vus=most, graceful_stop=5.0
    )


def test_the_pre_allocated_vus_wait_for_starts() -> None:
    plan = rate(3, 7).plan(WHOLE)
    assert (plan.vus, plan.duration) == (3, 2.0)
    assert plan.intervals(2) == (Interval(0.0, 2.0, 7.0),)
    assert isinstance(plan.iterations, Arrivals)
    assert plan.iterations.max_vus == 7
    assert plan.latest_end == 7


def test_the_most_vus_are_the_pre_allocated_ones_unless_it_is_said() -> None:
    iterations = rate(3).plan(WHOLE).iterations
    assert isinstance(iterations, Arrivals)
    assert iterations.max_vus == 3


def test_a_segment_has_its_share_of_vus_and_starts() -> None:
    sequence = parse_sequence("0,1/3,2/3,1")
    plans = [rate(10, 10).plan(Striping(segment, sequence)) for segment in sequence]
    assert [plan.vus for plan in plans] == [4, 3, 3]
    assert [plan.numbering.index(2) for plan in plans] == [5, 7, 9]


def test_a_segment_without_vus_has_no_work() -> None:
    striping = Striping(parse_segment("9/10:1"), None)
    assert rate(1).plan(WHOLE).max_vus == rate(0, 1).plan(WHOLE).max_vus == 1
    plan = rate(1).plan(striping)
    assert plan.max_vus == 0
    assert isinstance(plan.iterations, Arrivals)
    assert (plan.vus, list(plan.iterations.starts())) == (0, [])


@pytest.mark.parametrize(
    ("first", "most", "wrong"),
    [
        (1, None, []),
        (0, 1, []),
        (None, 5, ["the number of preAllocatedVUs isn't specified"]),
        (-1, None, ["the number of preAllocatedVUs can't be negative"]),
        (5, 4, ["maxVUs can't be less than preAllocatedVUs"]),
    ],
)
def test_numbers_of_vus(first: int | None, most: int | None, wrong: list[str]) -> None:
    assert rate(first, most).validate() == wrong
