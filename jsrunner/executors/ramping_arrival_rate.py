"""ramping-arrival-rate: iterations start at a rate that follows stages.

The i-th start (i = 1, 2, ...) is where the integral of the rate reaches i: there is none at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.arrival_rate import TIME_UNIT, ArrivalRate
from jsrunner.executors.arrivals import Ramp, RateProfile
from jsrunner.executors.ramping_vus import check_stages
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


@dataclass(frozen=True, kw_only=True)
class RampingArrivalRate(ArrivalRate):
    type: ClassVar = "ramping-arrival-rate"
    own: ClassVar = {
        "startRate": ("start_rate", kinds.Int()),
        **TIME_UNIT,
        "stages": ("stages", kinds.ScenarioStages()),
        **ArrivalRate.own,
    }

    start_rate: int = 0
    stages: tuple[kinds.Stage, ...] = ()

    def validate_own(self) -> list[str]:
        wrong = []
        if self.start_rate < 0:
            wrong.append("the startRate value can't be negative")
        if self.time_unit <= 0:
            wrong.append("the timeUnit must be more than 0")
        return wrong + check_stages(self.stages) + self.check_vus()

    def profile(self) -> RateProfile:
        ramps = []
        rate = self.start_rate / self.time_unit
        for stage in self.stages:
            target = (stage.target or 0) / self.time_unit
            ramps.append(Ramp(stage.duration or 0.0, rate, target))
            rate = target
        return RateProfile(tuple(ramps), at_once=False)

    def summary(self, striping: Striping) -> str:
        profile = self.profile()
        most = max([self.start_rate / self.time_unit, *(ramp.last for ramp in profile.ramps)])
        return (
            f"Up to {most * float(striping.segment.length):.2f} iterations/s for "
            f"{format_duration(profile.duration)} over {len(self.stages)} stages"
        )
