"""Common behaviour of the executors with stages."""

from __future__ import annotations

import pytest

from jsrunner.executors.stages import check_stages, highest_target, ramps, total_duration
from jsrunner.options.kinds import Stage

STAGES = (Stage(2.0, 5), Stage(0.0, 3), Stage(1.5, 3))


def test_numbers_of_stages() -> None:
    assert total_duration(STAGES) == 3.5
    assert (highest_target(1, STAGES), highest_target(9, STAGES)) == (5, 9)
    assert list(ramps(1, STAGES)) == [(0.0, 2.0, 1, 5), (2.0, 0.0, 5, 3), (2.0, 1.5, 3, 3)]
    assert list(ramps(1, ())) == []


@pytest.mark.parametrize(
    ("stages", "wrong"),
    [
        (STAGES, []),
        ((), ["at least one stage has to be specified"]),
        (
            (Stage(1.0, 1), Stage(), Stage(-1.0, -1)),
            [
                "stage 2 doesn't have a duration",
                "stage 2 doesn't have a target",
                "the duration for stage 3 can't be negative",
                "the target for stage 3 can't be negative",
            ],
        ),
    ],
)
def test_what_is_wrong(stages: tuple[Stage, ...], wrong: list[str]) -> None:
    assert check_stages(stages) == wrong
