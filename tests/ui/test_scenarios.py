"""Descriptions of scenarios, and the columns beside their progress bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.executors.constant_arrival_rate import ConstantArrivalRate
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.ramping_arrival_rate import RampingArrivalRate
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.options.kinds import Stage
from jsrunner.options.segment import Striping, parse_segment
from jsrunner.ui.scenarios import Reached, describe, progress_columns

if TYPE_CHECKING:
    from jsrunner.executors.config import ExecutorConfig

WHOLE = Striping(None, None)
HALF = Striping(parse_segment("0:1/2"), None)
STAGES = (Stage(1.0, 12), Stage(1.0, 0))
RATES = (Stage(2.0, 300), Stage(2.0, 300))

CONSTANT = ConstantVUs(name="a", vus=2, duration=1.0)
PER_VU = PerVUIterations(name="a", vus=4, iterations=3)
SHARED = SharedIterations(name="a", vus=2, iterations=100, max_duration=2.0)
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
    plan = config.plan(WHOLE)
    assert plan.progress(reached.elapsed, reached.completed) == pytest.approx(progress)
    assert progress_columns(config, plan, reached) == columns


def test_a_segment_has_its_own_numbers() -> None:
    def columns(config: ExecutorConfig, reached: Reached) -> tuple[str, ...]:
        return progress_columns(config, config.plan(HALF), reached)

    assert columns(PER_VU, Reached(0.0, 2, 0, 3))[2] == "3/6 iters, 3 per VU"
    assert columns(RATE, Reached(0.5, 1, 3, 2))[2] == "5.00 iters/s"
    assert columns(RAMPING, Reached(0.0, 2, 0, 3))[0] == "2/6 VUs"


@pytest.mark.parametrize(
    ("config", "striping", "text"),
    [
        (CONSTANT, WHOLE, "2 looping VUs for 1s (gracefulStop: 30s)"),
        (ConstantVUs(name="a", duration=1.0, graceful_stop=0.0), WHOLE, "1 looping VUs for 1s"),
        (
            ConstantVUs(
                name="a", vus=5, duration=1.0, exec="fn", start_time=0.5, explicit=frozenset({"exec"})
            ),
            WHOLE,
            "5 looping VUs for 1s (exec: fn, startTime: 500ms, gracefulStop: 30s)",
        ),
        (
            PerVUIterations(name="a", vus=3, iterations=5, max_duration=60.0, graceful_stop=10.0),
            WHOLE,
            "5 iterations for each of 3 VUs (maxDuration: 1m0s, gracefulStop: 10s)",
        ),
        (
            SHARED,
            HALF,
            "50 iterations shared among 1 VUs (maxDuration: 2s, gracefulStop: 30s)",
        ),
        (
            RampingVUs(name="a", stages=STAGES, graceful_ramp_down=5.0),
            WHOLE,
            "Up to 12 looping VUs for 2s over 2 stages (gracefulRampDown: 5s, gracefulStop: 30s)",
        ),
        (RATE, WHOLE, "10.00 iterations/s for 2s (maxVUs: 5-12, gracefulStop: 30s)"),
        (RATE, HALF, "5.00 iterations/s for 2s (maxVUs: 3-6, gracefulStop: 30s)"),
        (
            RAMPING_RATE,
            WHOLE,
            "Up to 5.00 iterations/s for 4s over 2 stages (maxVUs: 5, gracefulStop: 30s)",
        ),
        (
            RampingArrivalRate(
                name="a",
                start_rate=120,
                time_unit=60.0,
                stages=(Stage(60.0, 30),),
                pre_allocated_vus=3,
                graceful_stop=0.0,
            ),
            HALF,
            "Up to 1.00 iterations/s for 1m0s over 1 stages (maxVUs: 2)",
        ),
    ],
)
def test_descriptions(config: ExecutorConfig, striping: Striping, text: str) -> None:
    assert describe(config, config.plan(striping)) == text
