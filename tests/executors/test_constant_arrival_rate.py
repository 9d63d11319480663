"""constant-arrival-rate (k6-surface SC-17, SC-33)."""

from __future__ import annotations

from typing import Any

import pytest

from jsrunner.executors.arrivals import Arrivals
from jsrunner.executors.constant_arrival_rate import ConstantArrivalRate
from jsrunner.options.segment import Striping

WHOLE = Striping(None, None)


def rate(**fields: Any) -> ConstantArrivalRate:
    return ConstantArrivalRate(
        **{"name": "s", "rate": 10, "duration": 2.0, "pre_allocated_vus": 5, **fields}
    )


def test_starts_are_spread_over_the_unit_of_time() -> None:
    iterations = rate(rate=30, time_unit=60.0, duration=6.0).plan(WHOLE).iterations
    assert isinstance(iterations, Arrivals)
    assert list(iterations.starts()) == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, []),
        ({"rate": None}, ["the iteration rate isn't specified"]),
        ({"rate": 0, "time_unit": 0.0},
         ["the iteration rate must be more than 0", "the timeUnit must be more than 0"]),
        ({"duration": None}, ["the duration is unspecified"]),
        ({"duration": 0.5}, ["the duration must be at least 1s, but is 500ms"]),
        ({"rate": -1, "duration": None, "pre_allocated_vus": None},
         ["the iteration rate must be more than 0", "the duration is unspecified",
          "the number of preAllocatedVUs isn't specified"]),
    ],
)  # fmt: skip
def test_what_is_wrong(fields: dict[str, Any], wrong: list[str]) -> None:
    assert rate(**fields).validate() == wrong
