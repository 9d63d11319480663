"""ramping-arrival-rate: iterations start at a rate that follows stages.

The i-th start (i = 1, 2, ...) is where the integral of the rate reaches i. Hence no iteration starts at
0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jsrunner.executors.arrival_rate import ArrivalRate
from jsrunner.executors.arrivals import Ramp, RateProfile
from jsrunner.executors.config import scenario_field
from jsrunner.executors.stages import check_stages, ramps
from jsrunner.options import kinds


@dataclass(frozen=True, kw_only=True)
class RampingArrivalRate(ArrivalRate):
    """A scenario of this executor (k6's page "Ramping arrival rate")."""

    type: ClassVar = "ramping-arrival-rate"

    start_rate: int = scenario_field("startRate", kinds.Int(), 0)
    time_unit: float = scenario_field("timeUnit", kinds.Duration(), 1.0)
    stages: tuple[kinds.Stage, ...] = scenario_field("stages", kinds.ScenarioStages(), ())
    pre_allocated_vus: int | None = scenario_field("preAllocatedVUs", kinds.Int())
    max_vus: int | None = scenario_field("maxVUs", kinds.Int())

    def validate_own(self) -> list[str]:
        """Return the errors of the executor's own fields, with k6's texts."""
        errors = []
        if self.start_rate < 0:
            errors.append("the startRate value can't be negative")
        if self.time_unit <= 0:
            errors.append("the timeUnit must be more than 0")
        return errors + check_stages(self.stages) + self.check_vus()

    def profile(self) -> RateProfile:
        """Return the rate over time, for the whole test."""
        return RateProfile(
            tuple(
                Ramp(duration, before / self.time_unit, after / self.time_unit)
                for _, duration, before, after in ramps(self.start_rate, self.stages)
            ),
            at_once=False,
        )
