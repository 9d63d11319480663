"""The base of per-vu-iterations and shared-iterations: VUs, a number of iterations, a time limit."""

from typing import Annotated

from jsrunner.executors.config import MAX_DURATION, ExecutorConfig, ScenarioField, check_duration
from jsrunner.options import kinds


class Iterations(ExecutorConfig, frozen=True, kw_only=True):
    """A scenario of an executor that ends with its last iteration, or at `maxDuration`."""

    vus: Annotated[int, ScenarioField("vus", kinds.Int())] = 1
    iterations: Annotated[int, ScenarioField("iterations", kinds.Int())] = 1
    #: The longest time in seconds that the iterations may take.
    max_duration: Annotated[float, ScenarioField("maxDuration", kinds.Duration())] = MAX_DURATION

    def validate_own(self) -> list[str]:
        """Return the errors of the executor's own fields, with k6's texts."""
        errors = ["the number of VUs must be more than 0"] if self.vus <= 0 else []
        return errors + self.check_iterations() + check_duration("maxDuration", self.max_duration)

    def check_iterations(self) -> list[str]:
        """Return the errors of the number of iterations, with k6's texts."""
        raise NotImplementedError
