"""ramping-arrival-rate: iterations start at a rate that follows stages.

The i-th start (i = 1, 2, ...) is where the integral of the rate reaches i. Hence no iteration starts at
0.
"""

from typing import Annotated, ClassVar

from jsrunner.executors.arrival_rate import ArrivalRate
from jsrunner.executors.arrivals import Ramp, RateProfile
from jsrunner.executors.config import ScenarioField
from jsrunner.executors.stages import check_stages, ramps
from jsrunner.options import kinds


class RampingArrivalRate(ArrivalRate, frozen=True, kw_only=True):
    """A scenario of this executor (k6's page "Ramping arrival rate")."""

    type: ClassVar[str] = "ramping-arrival-rate"

    start_rate: Annotated[int, ScenarioField("startRate", kinds.Int())] = 0
    time_unit: Annotated[float, ScenarioField("timeUnit", kinds.Duration())] = 1.0
    stages: Annotated[tuple[kinds.Stage, ...], ScenarioField("stages", kinds.ScenarioStages())] = ()
    pre_allocated_vus: Annotated[int | None, ScenarioField("preAllocatedVUs", kinds.Int())] = None
    max_vus: Annotated[int | None, ScenarioField("maxVUs", kinds.Int())] = None

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
