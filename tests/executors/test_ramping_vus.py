"""ramping-vus: the maths of its stages (k6-surface SC-28 to SC-32)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.executors.plan import Interval, ScenarioPlan, Unlimited
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.options.kinds import Stage
from jsrunner.options.segment import Striping, parse_sequence

WHOLE = Striping(None, None)


def ramping(*stages: tuple[float, int], start: int = 0, **fields: Any) -> RampingVUs:
    return RampingVUs(
        name="s",
        start_vus=start,
        stages=tuple(Stage(duration, target) for duration, target in stages),
        **fields,
    )


def plan(*stages: tuple[float, int], start: int = 0, **fields: Any) -> ScenarioPlan:
    return ramping(*stages, start=start, **fields).plan(WHOLE)


def starts(found: ScenarioPlan) -> list[float]:
    return [round(found.intervals(index)[0].start, 6) for index in range(found.vus)]


def stops(found: ScenarioPlan) -> list[float]:
    return [round(found.intervals(index)[-1].stop, 6) for index in range(found.vus)]


def working(found: ScenarioPlan, moment: float) -> int:
    return sum(
        any(interval.start <= moment < interval.stop for interval in found.intervals(index))
        for index in range(found.vus)
    )


def test_vus_come_where_the_line_crosses_their_number() -> None:
    found = plan((10, 10))
    assert starts(found) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert stops(found) == [10] * 10
    assert (found.vus, found.iterations, found.duration) == (10, Unlimited(), 10)


def test_vus_go_where_the_line_crosses_their_number_the_highest_first() -> None:
    assert stops(plan((10, 0), start=10)) == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert stops(plan((1, 0), start=3)) == [1, 0.666667, 0.333333]


def test_a_stage_without_length_jumps() -> None:
    found = plan((0, 5), (3, 5), (0, 2), (3, 2))
    assert starts(found) == [0] * 5
    assert stops(found) == [6, 6, 3, 3, 3]


def test_a_stage_to_the_same_number_holds_it() -> None:
    found = plan((10, 3), start=3)
    assert [found.intervals(index) for index in range(3)] == [(Interval(0, 10, 40),)] * 3


def test_what_the_plan_takes_away_may_finish_for_a_while() -> None:
    found = plan((10, 0), start=2, graceful_ramp_down=3.0, graceful_stop=100.0)
    assert found.intervals(1) == (Interval(0, 5, 8),)
    assert found.intervals(0) == (Interval(0, 10, 13),)
    at_once = plan((10, 0), start=2, graceful_ramp_down=0.0)
    assert at_once.intervals(1) == (Interval(0, 5, 5),)


def test_nothing_runs_beyond_graceful_stop() -> None:
    found = plan((10, 0), start=2, graceful_ramp_down=30.0, graceful_stop=2.0)
    assert [found.intervals(index)[0].hard_stop for index in range(2)] == [12, 12]
    assert plan((10, 0), (5, 0), start=2, graceful_stop=2.0).latest_end == 17


def test_a_vu_that_is_wanted_again_is_not_interrupted_but_begins_nothing_in_between() -> None:
    stages = (0, 0), (5, 0), (0, 1), (10, 1)
    found = plan((10, 1), *stages, start=1, graceful_ramp_down=30.0, graceful_stop=1.0)
    assert found.intervals(0) == (Interval(0, 10, 26), Interval(15, 25, 26))
    assert list(found.busy(0)) == [(0, 26)]


def test_a_vu_that_is_wanted_again_too_late_is_interrupted() -> None:
    stages = (0, 0), (5, 0), (0, 1), (10, 1)
    found = plan((10, 1), *stages, start=1, graceful_ramp_down=4.0, graceful_stop=1.0)
    assert found.intervals(0) == (Interval(0, 10, 14), Interval(15, 25, 26))
    assert list(found.busy(0)) == [(0, 14), (15, 26)]


def test_exactly_in_time_is_early_enough() -> None:
    stages = (0, 0), (5, 0), (0, 1), (10, 1)
    found = plan((10, 1), *stages, start=1, graceful_ramp_down=5.0, graceful_stop=1.0)
    assert found.intervals(0) == (Interval(0, 10, 26), Interval(15, 25, 26))


def test_segments_together_follow_the_line_of_the_whole() -> None:
    config = ramping((10, 10))
    sequence = parse_sequence("0,1/2,1")
    both = [config.plan(Striping(segment, sequence)) for segment in sequence]
    assert [starts(found) for found in both] == [[1, 3, 5, 7, 9], [2, 4, 6, 8, 10]]


STAGES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 12)), min_size=1, max_size=6)


def planned(moment: float, start: int, stages: list[tuple[int, int]]) -> int:
    """Return the number of planned VUs at a moment that is not a corner of the line."""
    begun, count = 0.0, start
    for duration, target in stages:
        if moment < begun + duration:
            line = count + (target - count) * (moment - begun) / duration
            return math.floor(line + 1e-9) if target > count else math.ceil(line - 1e-9)
        begun, count = begun + duration, target
    return 0


@given(st.integers(0, 12), STAGES, st.floats(0, 1, exclude_max=True))
def test_the_number_of_working_vus_follows_the_line(
    start: int, stages: list[tuple[int, int]], position: float
) -> None:
    found = plan(*stages, start=start)
    duration = sum(length for length, _ in stages)
    moment = position * duration
    crossings = [at for index in range(found.vus) for interval in found.intervals(index)
                 for at in (interval.start, interval.stop)]  # fmt: skip
    if all(abs(moment - at) > 1e-6 for at in crossings):
        assert working(found, moment) == planned(moment, start, stages)


@given(st.integers(0, 12), STAGES, st.floats(0, 40), st.floats(0, 40))
def test_intervals_of_a_vu_follow_each_other(
    start: int, stages: list[tuple[int, int]], ramp_down: float, graceful_stop: float
) -> None:
    found = plan(*stages, start=start, graceful_ramp_down=ramp_down, graceful_stop=graceful_stop)
    end = sum(length for length, _ in stages) + graceful_stop
    for index in range(found.vus):
        intervals = found.intervals(index)
        assert intervals
        for one in intervals:
            assert 0 <= one.start <= one.stop <= one.hard_stop <= end
        for one, following in pairwise(intervals):
            assert one.stop <= following.start
            # Either it is over before the next, or the iteration runs on into that.
            assert one.hard_stop < following.start or one.hard_stop == following.hard_stop
        spans = list(found.busy(index))
        assert all(one[1] < following[0] for one, following in pairwise(spans))


@given(st.integers(0, 12), STAGES)
def test_no_more_vus_than_the_highest_target(start: int, stages: list[tuple[int, int]]) -> None:
    assert plan(*stages, start=start).vus == max(start, *(target for _, target in stages))


@pytest.mark.parametrize(
    ("start", "stages", "wrong"),
    [
        (1, [Stage(1.0, 1)], []),
        (0, [Stage(1.0, 1)], []),
        (1, [Stage(1.0, 0)], []),
        (1, [], ["at least one stage has to be specified"]),
        (
            0,
            [],
            [
                "either startVUs or one of the stages' target values must be greater than 0",
                "at least one stage has to be specified",
            ],
        ),
        (
            -1,
            [Stage(-1.0, -1), Stage()],
            [
                "the number of start VUs can't be negative",
                "either startVUs or one of the stages' target values must be greater than 0",
                "the duration for stage 1 can't be negative",
                "the target for stage 1 can't be negative",
                "stage 2 doesn't have a duration",
                "stage 2 doesn't have a target",
            ],
        ),
        (
            100_000_001,
            [Stage(1.0, 100_000_001), Stage(target=1)],
            [
                "stage 2 doesn't have a duration",
                "the startVUs exceed max limit of 100000000",
                "target for stage 1 exceeds max limit of 100000000",
            ],
        ),
    ],
)
def test_what_is_wrong(start: int, stages: list[dict[str, Any]], wrong: list[str]) -> None:
    assert RampingVUs(name="s", start_vus=start, stages=tuple(stages)).validate() == wrong
