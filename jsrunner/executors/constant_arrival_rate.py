"""constant-arrival-rate: iterations start at a steady rate.

With r iterations per second the starts are at n / r seconds, n = 0, 1, 2, ..., the last one at the
end of the duration if it falls there, as with k6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.arrival_rate import TIME_UNIT, ArrivalRate
from jsrunner.executors.arrivals import Ramp, RateProfile
from jsrunner.executors.base import check_duration
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


@dataclass(frozen=True, kw_only=True)
class ConstantArrivalRate(ArrivalRate):
    type: ClassVar = "constant-arrival-rate"
    own: ClassVar = {
        "rate": ("rate", kinds.Int()),
        **TIME_UNIT,
        "duration": ("duration", kinds.Duration()),
        **ArrivalRate.own,
    }

    rate: int | None = None
    duration: float | None = None

    def validate_own(self) -> list[str]:
        wrong = []
        if self.rate is None:
            wrong.append("the iteration rate isn't specified")
        elif self.rate <= 0:
            wrong.append("the iteration rate must be more than 0")
        if self.time_unit <= 0:
            wrong.append("the timeUnit must be more than 0")
        return wrong + check_duration("duration", self.duration) + self.check_vus()

    def profile(self) -> RateProfile:
        rate = (self.rate or 0) / self.time_unit
        return RateProfile((Ramp(self.duration or 0.0, rate, rate),), at_once=True)

    def summary(self, striping: Striping) -> str:
        rate = self.profile().rate_at(0) * float(striping.segment.length)
        return f"{rate:.2f} iterations/s for {format_duration(self.duration or 0.0)}"
