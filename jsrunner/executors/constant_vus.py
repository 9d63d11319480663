"""constant-vus: a fixed number of VUs that iterate for a fixed duration."""

from typing import Annotated, ClassVar

from jsrunner.executors.config import ExecutorConfig, ScenarioField, check_duration
from jsrunner.executors.plan import ScenarioPlan, Steady, Unlimited
from jsrunner.options import kinds
from jsrunner.options.segment import Striping


class ConstantVUs(ExecutorConfig, frozen=True, kw_only=True):
    """A scenario of this executor (k6's page "Constant VUs")."""

    type: ClassVar[str] = "constant-vus"

    vus: Annotated[int, ScenarioField("vus", kinds.Int())] = 1
    duration: Annotated[float | None, ScenarioField("duration", kinds.Duration())] = None

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
