"""constant-arrival-rate: iterations start at a steady rate.

With r iterations per second the starts are at n / r seconds, n = 0, 1, 2, ..., the last one at the
end of the duration if it falls there, as with k6.
"""

from typing import Annotated, ClassVar

from jsrunner.executors.arrival_rate import ArrivalRate
from jsrunner.executors.arrivals import Ramp, RateProfile
from jsrunner.executors.config import ScenarioField, check_duration
from jsrunner.options import kinds


class ConstantArrivalRate(ArrivalRate, frozen=True, kw_only=True):
    """A scenario of this executor (k6's page "Constant arrival rate")."""

    type: ClassVar[str] = "constant-arrival-rate"

    rate: Annotated[int | None, ScenarioField("rate", kinds.Int())] = None
    time_unit: Annotated[float, ScenarioField("timeUnit", kinds.Duration())] = 1.0
    duration: Annotated[float | None, ScenarioField("duration", kinds.Duration())] = None
    pre_allocated_vus: Annotated[int | None, ScenarioField("preAllocatedVUs", kinds.Int())] = None
    max_vus: Annotated[int | None, ScenarioField("maxVUs", kinds.Int())] = None

    def validate_own(self) -> list[str]:
        """Return the errors of the executor's own fields, with k6's texts."""
        errors = []
        if self.rate is None:
            errors.append("the iteration rate isn't specified")
        elif self.rate <= 0:
            errors.append("the iteration rate must be more than 0")
        if self.time_unit <= 0:
            errors.append("the timeUnit must be more than 0")
        return errors + check_duration("duration", self.duration) + self.check_vus()

    def profile(self) -> RateProfile:
        """Return the rate over time, for the whole test."""
        rate = (self.rate or 0) / self.time_unit
        return RateProfile((Ramp(self.duration or 0.0, rate, rate),), at_once=True)
