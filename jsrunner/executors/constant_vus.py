"""constant-vus: a number of VUs that iterate for a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.base import (
    ExecutorConfig,
    LoopPlan,
    Reached,
    Unlimited,
    check_duration,
    one_interval,
    time_column,
)
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


@dataclass(frozen=True, kw_only=True)
class ConstantVUs(ExecutorConfig):
    type: ClassVar = "constant-vus"
    own: ClassVar = {
        "vus": ("vus", kinds.Int()),
        "duration": ("duration", kinds.Duration()),
    }

    vus: int = 1
    duration: float | None = None

    def validate_own(self) -> list[str]:
        wrong = ["the number of VUs must be more than 0"] if self.vus <= 0 else []
        return wrong + check_duration("duration", self.duration)

    def plan(self, striping: Striping) -> LoopPlan:
        duration = self.duration or 0.0
        vus = striping.count(self.vus)
        schedule = one_interval(vus, duration, self.graceful_stop)
        return LoopPlan(vus, Unlimited(), duration, schedule, striping)

    def max_duration(self) -> float:
        return (self.duration or 0.0) + self.graceful_stop

    def progress_columns(self, striping: Striping, reached: Reached) -> tuple[str, ...]:
        time = time_column(reached.elapsed, self.duration or 0.0)
        return (f"{striping.count(self.vus)} VUs", time)

    def summary(self, striping: Striping) -> str:
        duration = format_duration(self.duration or 0.0)
        return f"{striping.count(self.vus)} looping VUs for {duration}"
