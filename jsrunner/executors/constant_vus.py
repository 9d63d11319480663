"""constant-vus: a fixed number of VUs that iterate for a fixed duration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.config import ExecutorConfig, check_duration, scenario_field
from jsrunner.executors.plan import ScenarioPlan, Steady, Unlimited
from jsrunner.options import kinds

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


@dataclass(frozen=True, kw_only=True)
class ConstantVUs(ExecutorConfig):
    """A scenario of this executor (k6's page "Constant VUs")."""

    type: ClassVar = "constant-vus"

    vus: int = scenario_field("vus", kinds.Int(), 1)
    duration: float | None = scenario_field("duration", kinds.Duration())

    def validate_own(self) -> list[str]:
        """Return the errors of the executor's own fields, with k6's texts."""
        errors = ["the number of VUs must be more than 0"] if self.vus <= 0 else []
        return errors + check_duration("duration", self.duration)

    def plan(self, striping: Striping) -> ScenarioPlan:
        """Return the plan of the part of the test that `striping` selects."""
        duration = self.duration or 0.0
        return ScenarioPlan(
            striping=striping,
            start_time=self.start_time,
            vus=striping.count(self.vus),
            schedule=Steady(duration, duration + self.graceful_stop),
            iterations=Unlimited(),
            duration=duration,
            graceful_stop=self.graceful_stop,
            numbering=striping,
        )
