"""per-vu-iterations (k6-surface SC-14)."""

from __future__ import annotations

import pytest

from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.plan import Interval, PerVU
from jsrunner.options.segment import Striping, parse_sequence

WHOLE = Striping(None, None)


def test_each_vu_has_its_iterations() -> None:
    one = PerVUIterations(name="s", vus=3, iterations=5, max_duration=60.0, graceful_stop=10.0)
    plan = one.plan(WHOLE)
    assert (plan.vus, plan.iterations, plan.duration) == (3, PerVU(5), 60.0)
    assert plan.intervals(2) == (Interval(0.0, 60.0, 70.0),)
    assert (plan.latest_end, plan.total) == (70, 15)


def test_a_segment_has_fewer_vus_but_not_iterations() -> None:
    sequence = parse_sequence("0,1/2,1")
    plan = PerVUIterations(name="s", vus=3, iterations=5).plan(Striping(sequence[1], sequence))
    assert (plan.vus, plan.iterations) == (1, PerVU(5))


@pytest.mark.parametrize(
    ("vus", "iterations", "limit", "wrong"),
    [
        (1, 1, 1.0, []),
        (0, 1, 1.0, ["the number of VUs must be more than 0"]),
        (1, 0, 1.0, ["the number of iterations must be more than 0"]),
        (1, 1, 0.999, ["the maxDuration must be at least 1s, but is 999ms"]),
        (
            -1,
            -1,
            -1.0,
            [
                "the number of VUs must be more than 0",
                "the number of iterations must be more than 0",
                "the maxDuration must be at least 1s, but is -1s",
            ],
        ),
    ],
)
def test_what_is_wrong(vus: int, iterations: int, limit: float, wrong: list[str]) -> None:
    one = PerVUIterations(name="s", vus=vus, iterations=iterations, max_duration=limit)
    assert one.validate() == wrong
