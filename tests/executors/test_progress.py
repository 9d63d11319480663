"""What executors say of how far they have come."""

from __future__ import annotations

import pytest

from jsrunner.executors.base import ExecutorConfig, Reached
from jsrunner.executors.constant_arrival_rate import ConstantArrivalRate
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.ramping_arrival_rate import RampingArrivalRate
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.options.kinds import Stage
from jsrunner.options.segment import Striping, parse_segment

WHOLE = Striping(None, None)
STAGES = (Stage(1.0, 12), Stage(1.0, 0))
RATES = (Stage(2.0, 300), Stage(2.0, 300))

CONSTANT = ConstantVUs(name="a", vus=2, duration=1.0)
PER_VU = PerVUIterations(name="a", vus=4, iterations=3)
SHARED = SharedIterations(name="a", vus=2, iterations=100, limit=2.0)
RATE = ConstantArrivalRate(name="a", rate=10, duration=2.0, pre_allocated_vus=5, max_vus=12)
RAMPING_RATE = RampingArrivalRate(
    name="a", start_rate=60, time_unit=60.0, pre_allocated_vus=5, stages=RATES
)
RAMPING = RampingVUs(name="a", stages=STAGES)


@pytest.mark.parametrize(
    ("config", "reached", "progress", "columns"),
    [
        (CONSTANT, Reached(0.5, 2, 0, 7), 0.5, ("2 VUs", "0.5s/1s")),
        (CONSTANT, Reached(1.5, 1, 0, 7), 1.0, ("2 VUs", "1s")),
        (PER_VU, Reached(1.25, 4, 0, 6), 0.5, ("4 VUs", "00m01.3s/10m0s", "06/12 iters, 3 per VU")),
        (PER_VU, Reached(2.0, 0, 0, 12), 1.0, ("4 VUs", "00m02.0s/10m0s", "12/12 iters, 3 per VU")),
        (SHARED, Reached(0.8, 2, 0, 14), 0.14, ("2 VUs", "0.8s/2s", "014/100 shared iters")),
        (SHARED, Reached(3.0, 2, 0, 14), 0.14, ("2 VUs", "2s", "014/100 shared iters")),
        (RAMPING, Reached(0.5, 6, 0, 0), 0.25, ("06/12 VUs", "0.5s/2.0s")),
        (RAMPING, Reached(2.5, 1, 0, 9), 1.0, ("01/12 VUs", "2s")),
        (RATE, Reached(0.8, 1, 5, 9), 0.4, ("01/05 VUs", "0.8s/2s", "10.00 iters/s")),
        (RATE, Reached(2.1, 0, 7, 9), 1.0, ("00/07 VUs", "2s", "10.00 iters/s")),
        (RAMPING_RATE, Reached(1.0, 1, 5, 1), 0.25, ("1/5 VUs", "1.0s/4s", "3.00 iters/s")),
        (RAMPING_RATE, Reached(9.0, 0, 5, 1), 1.0, ("0/5 VUs", "4s", "5.00 iters/s")),
    ],
)
def test_progress(
    config: ExecutorConfig, reached: Reached, progress: float, columns: tuple[str, ...]
) -> None:
    assert config.progress(WHOLE, reached) == pytest.approx(progress)
    assert config.progress_columns(WHOLE, reached) == columns


def test_a_segment_has_its_own_numbers() -> None:
    half = Striping(parse_segment("0:1/2"), None)
    assert PER_VU.progress_columns(half, Reached(0.0, 2, 0, 3))[2] == "3/6 iters, 3 per VU"
    assert PER_VU.progress(half, Reached(0.0, 2, 0, 3)) == 0.5
    assert RATE.progress_columns(half, Reached(0.5, 1, 3, 2))[2] == "5.00 iters/s"
    assert RAMPING.progress_columns(half, Reached(0.0, 2, 0, 3))[0] == "2/6 VUs"


def test_a_segment_may_have_nothing_to_do() -> None:
    third = Striping(parse_segment("2/3:1"), None)
    one = ConstantVUs(name="a", vus=1, duration=1.0)
    late = ConstantArrivalRate(name="a", rate=1, duration=1.0, pre_allocated_vus=0, max_vus=3)
    ramp = RampingVUs(name="a", start_vus=0, stages=(Stage(1.0, 1),))
    assert one.has_work(WHOLE)
    assert not one.has_work(third)
    assert late.has_work(third)
    assert ramp.has_work(WHOLE)
    assert not ramp.has_work(third)
