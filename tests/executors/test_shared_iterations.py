"""shared-iterations (k6-surface SC-13, SG-06)."""

from __future__ import annotations

import pytest

from jsrunner.executors.plan import Interval, SharedTotal
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.options.segment import Striping, parse_segment, parse_sequence

WHOLE = Striping(None, None)


def test_all_vus_share_the_iterations() -> None:
    one = SharedIterations(name="s", vus=3, iterations=10, max_duration=60.0, graceful_stop=10.0)
    plan = one.plan(WHOLE)
    assert (plan.vus, plan.iterations, plan.duration) == (3, SharedTotal(10), 60.0)
    assert plan.intervals(2) == (Interval(0.0, 60.0, 70.0),)
    assert (plan.latest_end, plan.total) == (70, 10)


def test_segments_get_iterations_as_they_got_vus() -> None:
    one = SharedIterations(name="s", vus=10, iterations=20)
    sequence = parse_sequence("0,1/3,2/3,1")
    stripings = [Striping(segment, sequence) for segment in sequence]
    plans = [one.plan(striping) for striping in stripings]
    assert [plan.vus for plan in plans] == [4, 3, 3]
    assert [plan.iterations for plan in plans] == [SharedTotal(8), SharedTotal(6), SharedTotal(6)]
    assert [[plan.numbering.index(number) for number in range(3)] for plan in plans] == [
        [0, 3, 5],
        [1, 4, 7],
        [2, 6, 9],
    ]


def test_a_segment_without_vus_has_no_iterations() -> None:
    one = SharedIterations(name="s", vus=1, iterations=100)
    striping = Striping(parse_segment("9/10:1"), None)
    plan = one.plan(striping)
    assert (plan.vus, plan.iterations, plan.max_vus) == (0, SharedTotal(0), 0)


@pytest.mark.parametrize(
    ("vus", "iterations", "limit", "wrong"),
    [
        (1, 1, 1.0, []),
        (0, 0, 1.0, ["the number of VUs must be more than 0"]),
        (3, 2, 1.0, ["the number of iterations (2) can't be less than the number of VUs (3)"]),
        (1, 1, 0.5, ["the maxDuration must be at least 1s, but is 500ms"]),
    ],
)
def test_what_is_wrong(vus: int, iterations: int, limit: float, wrong: list[str]) -> None:
    one = SharedIterations(name="s", vus=vus, iterations=iterations, max_duration=limit)
    assert one.validate() == wrong
