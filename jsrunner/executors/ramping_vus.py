"""ramping-vus: a number of VUs that follows stages.

Between the values f and t of a stage of length D the k-th VU comes (or goes) where the straight line
crosses k, i.e. at D * |k - f| / |t - f|. The VU with the highest number stops first. A VU that
the plan takes away may finish its iteration within gracefulRampDown; if the plan wants it again
before that has passed, the iteration is not interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import Struct

from jsrunner.executors.config import GRACEFUL_STOP, ExecutorConfig, scenario_field
from jsrunner.executors.plan import Interval, ScenarioPlan, Unlimited
from jsrunner.executors.stages import check_stages, highest_target, ramps, total_duration
from jsrunner.options import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.options.segment import Striping

#: k6's own bound.
MAX_VUS: Final = 100_000_000


@dataclass(frozen=True, kw_only=True)
class RampingVUs(ExecutorConfig):
    """A scenario of this executor (k6's page "Ramping VUs")."""

    type: ClassVar = "ramping-vus"

    start_vus: int = scenario_field("startVUs", kinds.Int(), 1)
    stages: tuple[kinds.Stage, ...] = scenario_field("stages", kinds.ScenarioStages(), ())
    graceful_ramp_down: float = scenario_field("gracefulRampDown", kinds.Duration(), GRACEFUL_STOP)

    def validate_own(self) -> list[str]:
        """Return what is wrong with the executor's own fields, in k6's words."""
        wrong = []
        if self.start_vus < 0:
            wrong.append("the number of start VUs can't be negative")
        if highest_target(self.start_vus, self.stages) <= 0:
            wrong.append("either startVUs or one of the stages' target values must be greater than 0")
        wrong += check_stages(self.stages)
        if self.start_vus > MAX_VUS:
            wrong.append(f"the startVUs exceed max limit of {MAX_VUS}")
        for number, stage in enumerate(self.stages, 1):
            if (stage.target or 0) > MAX_VUS:
                wrong.append(f"target for stage {number} exceeds max limit of {MAX_VUS}")
        return wrong

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
    """A VU iterates while the planned number of VUs is above its number in the whole test."""

    is_uniform: ClassVar[bool] = False

    config: RampingVUs
    striping: Striping

    def intervals(self, index: int) -> tuple[Interval, ...]:
        """Return the intervals of the VU with this index, in the order of time.

        The last one has gracefulStop if the VU is there at the end of the stages; the others have
        gracefulRampDown, but never beyond the scenario's end.
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
        """Yield (start, stop) of the VU with this number, from 0, in the whole test.

        The stop is None if the VU is there at the end of the stages.
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
