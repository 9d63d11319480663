"""ramping-vus: the number of VUs follows stages.

In a stage of duration D in which the number goes from f to t, the k-th VU starts or stops where the
straight line crosses k, i.e. at D * |k - f| / |t - f|. The VU with the highest number stops first. A VU
that stops may finish its iteration within gracefulRampDown. If the VU starts again within that time,
the iteration is not interrupted.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final

from msgspec import Struct

from jsrunner.executors.config import GRACEFUL_STOP, ExecutorConfig, ScenarioField
from jsrunner.executors.plan import Interval, ScenarioPlan, Unlimited
from jsrunner.executors.stages import check_stages, highest_target, ramps, total_duration
from jsrunner.options import kinds
from jsrunner.options.segment import Striping

#: The highest number of VUs that k6 accepts.
MAX_VUS: Final = 100_000_000


class RampingVUs(ExecutorConfig, frozen=True, kw_only=True):
    """A scenario of this executor (k6's page "Ramping VUs")."""

    type: ClassVar[str] = "ramping-vus"

    start_vus: Annotated[int, ScenarioField("startVUs", kinds.Int())] = 1
    stages: Annotated[tuple[kinds.Stage, ...], ScenarioField("stages", kinds.ScenarioStages())] = ()
    graceful_ramp_down: Annotated[float, ScenarioField("gracefulRampDown", kinds.Duration())] = (
        GRACEFUL_STOP
    )

    def validate_own(self) -> list[str]:
        """Return the errors of the executor's own fields, with k6's texts."""
        errors = []
        if self.start_vus < 0:
            errors.append("the number of start VUs can't be negative")
        if highest_target(self.start_vus, self.stages) <= 0:
            errors.append("either startVUs or one of the stages' target values must be greater than 0")
        errors += check_stages(self.stages)
        if self.start_vus > MAX_VUS:
            errors.append(f"the startVUs exceed max limit of {MAX_VUS}")
        for number, stage in enumerate(self.stages, 1):
            if (stage.target or 0) > MAX_VUS:
                errors.append(f"target for stage {number} exceeds max limit of {MAX_VUS}")
        return errors

    def plan(self, striping: Striping) -> ScenarioPlan:
        """Return the plan of the part of the test that `striping` selects."""
        return ScenarioPlan(
            striping=striping,
            start_time=self.start_time,
            vus=striping.count(highest_target(self.start_vus, self.stages)),
            schedule=Ramped(self, striping),
            iterations=Unlimited(),
            duration=total_duration(self.stages),
            graceful_stop=self.graceful_stop,
            numbering=striping,
        )


class Ramped(Struct, frozen=True):
    """A schedule in which a VU iterates while its number in the test is below the planned one."""

    is_uniform: ClassVar[bool] = False

    config: RampingVUs
    striping: Striping

    def intervals(self, index: int) -> tuple[Interval, ...]:
        """Return the intervals of the VU with this index, in the order of time.

        Iterations may run on for gracefulStop after an interval that lasts until the end of the stages,
        and for gracefulRampDown after another interval, but never beyond the scenario's end.
        """
        config = self.config
        duration = total_duration(config.stages)
        end = duration + config.graceful_stop
        graceful = max(config.graceful_ramp_down, 0.0)
        intervals: list[Interval] = []
        for start, stop in reversed(list(self._times(self.striping.index(index)))):
            hard_stop = end if stop is None else min(stop + graceful, end)
            if intervals and intervals[-1].start <= hard_stop:
                hard_stop = intervals[-1].hard_stop
            intervals.append(Interval(start, duration if stop is None else stop, hard_stop))
        return tuple(reversed(intervals))

    def _times(self, number: int) -> Iterator[tuple[float, float | None]]:
        """Yield the starts and stops of a VU.

        Args:
            number: The VU's number in the whole test, from 0 on.

        Yields:
            (start, stop); the stop is None if the VU runs until the end of the stages.
        """
        config = self.config
        start = 0.0 if number < config.start_vus else None
        for begin, length, before, after in ramps(config.start_vus, config.stages):
            if before <= number < after:
                start = begin + length * (number + 1 - before) / (after - before)
            elif after <= number < before and start is not None:
                yield start, begin + length * (before - number) / (before - after)
                start = None
        if start is not None:
            yield start, None
