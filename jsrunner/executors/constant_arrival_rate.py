"""constant-arrival-rate: iterations start at a steady rate.

With r iterations per second the starts are at n / r seconds, n = 0, 1, 2, ..., the last one at the
end of the duration if it falls there, as with k6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jsrunner.executors.arrival_rate import ArrivalRate
from jsrunner.executors.arrivals import Ramp, RateProfile
from jsrunner.executors.config import check_duration, scenario_field
from jsrunner.options import kinds


@dataclass(frozen=True, kw_only=True)
class ConstantArrivalRate(ArrivalRate):
    """A scenario of this executor (k6's page "Constant arrival rate")."""

    type: ClassVar = "constant-arrival-rate"

    rate: int | None = scenario_field("rate", kinds.Int())
    time_unit: float = scenario_field("timeUnit", kinds.Duration(), 1.0)
    duration: float | None = scenario_field("duration", kinds.Duration())
    pre_allocated_vus: int | None = scenario_field("preAllocatedVUs", kinds.Int())
    max_vus: int | None = scenario_field("maxVUs", kinds.Int())

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
