"""ramping-arrival-rate (k6-surface SC-18, SC-34, SC-35)."""

from __future__ import annotations

from typing import Any

import pytest

from jsrunner.executors.arrivals import Arrivals
from jsrunner.executors.ramping_arrival_rate import RampingArrivalRate
from jsrunner.options.kinds import Stage
from jsrunner.options.segment import Striping

WHOLE = Striping(None, None)


def rate(*stages: tuple[float, int], **fields: Any) -> RampingArrivalRate:
    given = tuple(Stage(duration, target) for duration, target in stages)
    return RampingArrivalRate(**{"name": "s", "stages": given, "pre_allocated_vus": 3, **fields})


def starts(config: RampingArrivalRate) -> list[float]:
    iterations = config.plan(WHOLE).iterations
    assert isinstance(iterations, Arrivals)
    return [round(offset, 3) for offset in iterations.starts()]


def test_starts_follow_the_stages() -> None:
    assert starts(rate((2, 4))) == [1.0, 1.414, 1.732, 2.0]
    assert starts(rate((2, 60), start_rate=60, time_unit=60.0)) == [1, 2]
    assert starts(rate((0, 2), (1, 2), (1, 0))) == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        (rate((1, 1)), []),
        (rate((1, 0)), []),
        (rate(), ["at least one stage has to be specified"]),
        (
            rate((-1, 1), start_rate=-1, time_unit=-1.0, pre_allocated_vus=None),
            [
                "the startRate value can't be negative",
                "the timeUnit must be more than 0",
                "the duration for stage 1 can't be negative",
                "the number of preAllocatedVUs isn't specified",
            ],
        ),
    ],
)
def test_what_is_wrong(config: RampingArrivalRate, wrong: list[str]) -> None:
    assert config.validate() == wrong
