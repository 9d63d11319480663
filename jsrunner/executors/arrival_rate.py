"""The base of constant-arrival-rate and ramping-arrival-rate: their numbers of VUs and their plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.executors.arrivals import Arrivals
from jsrunner.executors.config import ExecutorConfig
from jsrunner.executors.plan import ScenarioPlan, Steady

if TYPE_CHECKING:
    from jsrunner.executors.arrivals import RateProfile
    from jsrunner.options.segment import Striping


class ArrivalRate(ExecutorConfig, frozen=True, kw_only=True):
    """A scenario of an executor that starts iterations at planned times on a pool of VUs.

    The subclasses declare the fields, each in the order of k6's JSON.
    """

    #: Seconds to which the rate refers.
    time_unit: float
    #: VUs that are made before the test begins.
    pre_allocated_vus: int | None
    #: The most VUs, with those that are made during the test; None for `pre_allocated_vus`.
    max_vus: int | None

    def profile(self) -> RateProfile:
        """Return the rate over time, for the whole test."""
        raise NotImplementedError

    @property
    def most_vus(self) -> int:
        """The most VUs of the whole test: `maxVUs`, or `preAllocatedVUs` without it."""
        return (self.pre_allocated_vus or 0) if self.max_vus is None else self.max_vus

    def check_vus(self) -> list[str]:
        """Return the errors of the numbers of VUs, with k6's texts."""
        if self.pre_allocated_vus is None:
            return ["the number of preAllocatedVUs isn't specified"]
        if self.pre_allocated_vus < 0:
            return ["the number of preAllocatedVUs can't be negative"]
        if self.most_vus < self.pre_allocated_vus:
            return ["maxVUs can't be less than preAllocatedVUs"]
        return []

    def plan(self, striping: Striping) -> ScenarioPlan:
        """Return the plan of the part of the test that `striping` selects."""
        profile, most = self.profile(), striping.count(self.most_vus)
        numbering = striping.rescaled(self.most_vus) if most else striping
        return ScenarioPlan(
            striping=striping,
            start_time=self.start_time,
            vus=striping.count(self.pre_allocated_vus or 0),
            schedule=Steady(profile.duration, profile.duration + self.graceful_stop),
            iterations=Arrivals(profile, numbering, most),
            duration=profile.duration,
            graceful_stop=self.graceful_stop,
            numbering=numbering,
        )
