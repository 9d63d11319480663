"""constant-vus (k6-surface SC-15)."""

from __future__ import annotations

import pytest

from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.plan import Interval, Unlimited
from jsrunner.options.segment import Striping, parse_segment, parse_sequence

WHOLE = Striping(None, None)


def test_all_vus_loop_for_the_duration() -> None:
    one = ConstantVUs(name="s", vus=3, duration=10.0, graceful_stop=5.0)
    plan = one.plan(WHOLE)
    assert (plan.vus, plan.iterations, plan.duration) == (3, Unlimited(), 10.0)
    assert [plan.intervals(index) for index in range(3)] == [(Interval(0.0, 10.0, 15.0),)] * 3
    assert plan.latest_end == 15


def test_a_segment_has_its_share_of_vus() -> None:
    one = ConstantVUs(name="s", vus=10, duration=10.0)
    sequence = parse_sequence("0,1/3,2/3,1")
    stripings = [Striping(segment, sequence) for segment in sequence]
    assert [one.plan(striping).vus for striping in stripings] == [4, 3, 3]


def test_a_segment_may_have_none() -> None:
    striping = Striping(parse_segment("9/10:1"), None)
    plan = ConstantVUs(name="s", vus=1, duration=10.0).plan(striping)
    assert (plan.vus, plan.max_vus) == (0, 0)


@pytest.mark.parametrize(
    ("vus", "duration", "wrong"),
    [
        (1, 1.0, []),
        (0, 1.0, ["the number of VUs must be more than 0"]),
        (-1, None, ["the number of VUs must be more than 0", "the duration is unspecified"]),
        (1, 0.5, ["the duration must be at least 1s, but is 500ms"]),
    ],
)
def test_what_is_wrong(vus: int, duration: float | None, wrong: list[str]) -> None:
    assert ConstantVUs(name="s", vus=vus, duration=duration).validate() == wrong
