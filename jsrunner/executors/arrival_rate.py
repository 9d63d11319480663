"""What constant-arrival-rate and ramping-arrival-rate share: their VUs, and their plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from jsrunner.executors.arrivals import Arrivals, RateProfile
from jsrunner.executors.base import (
    ExecutorConfig,
    LoopPlan,
    Reached,
    one_interval,
    padded,
    time_column,
)
from jsrunner.options import kinds

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


#: A field of both executors, in the order of k6's JSON among their own.
TIME_UNIT: Final[dict[str, tuple[str, kinds.Kind]]] = {"timeUnit": ("time_unit", kinds.Duration())}


@dataclass(frozen=True, kw_only=True)
class ArrivalRate(ExecutorConfig):
    """An executor that starts iterations at planned times on a pool of VUs."""

    own: ClassVar = {
        "preAllocatedVUs": ("pre_allocated_vus", kinds.Int()),
        "maxVUs": ("max_vus", kinds.Int()),
    }

    time_unit: float = 1.0
    pre_allocated_vus: int | None = None
    max_vus: int | None = None

    def profile(self) -> RateProfile:
        raise NotImplementedError

    def check_vus(self) -> list[str]:
        """What is wrong with the numbers of VUs, in k6's words."""
        if self.pre_allocated_vus is None:
            return ["the number of preAllocatedVUs isn't specified"]
        if self.pre_allocated_vus < 0:
            return ["the number of preAllocatedVUs can't be negative"]
        if self._most() < self.pre_allocated_vus:
            return ["maxVUs can't be less than preAllocatedVUs"]
        return []

    def _most(self) -> int:
        return (self.pre_allocated_vus or 0) if self.max_vus is None else self.max_vus

    def plan(self, striping: Striping) -> LoopPlan:
        profile = self.profile()
        vus, most = striping.count(self.pre_allocated_vus or 0), striping.count(self._most())
        numbering = striping.rescaled(self._most()) if most else striping
        return LoopPlan(
            vus,
            Arrivals(profile, numbering, most),
            profile.duration,
            one_interval(vus, profile.duration, self.graceful_stop),
            numbering,
        )

    def max_duration(self) -> float:
        return self.profile().duration + self.graceful_stop

    def has_work(self, striping: Striping) -> bool:
        return striping.count(self._most()) > 0

    def progress_columns(self, striping: Striping, reached: Reached) -> tuple[str, ...]:
        profile, most = self.profile(), striping.count(self._most())
        rate = profile.rate_at(reached.elapsed) * float(striping.segment.length)
        return (
            f"{padded(reached.active, most)}/{padded(reached.initialized, most)} VUs",
            time_column(reached.elapsed, profile.duration),
            f"{rate:.2f} iters/s",
        )

    def notes(self, striping: Striping) -> list[str]:
        first, most = striping.count(self.pre_allocated_vus or 0), striping.count(self._most())
        return [f"maxVUs: {first}" if first == most else f"maxVUs: {first}-{most}"]
