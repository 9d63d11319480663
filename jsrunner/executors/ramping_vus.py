"""ramping-vus: a number of VUs that follows stages.

Between the values f and t of a stage of length D the k-th VU comes (or goes) where the straight line
crosses k, i.e. at D * |k - f| / |t - f|. The VU with the highest number stops first. A VU that
the plan takes away may finish its iteration within gracefulRampDown; if the plan wants it again
before that has passed, the iteration is not interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from jsrunner.executors.base import (
    GRACEFUL_STOP,
    ExecutorConfig,
    Interval,
    LoopPlan,
    Reached,
    Unlimited,
    padded,
)
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration, format_fixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.options.segment import Striping

#: k6's own bound.
MAX_VUS: Final = 100_000_000


@dataclass(frozen=True, kw_only=True)
class RampingVUs(ExecutorConfig):
    type: ClassVar = "ramping-vus"
    own: ClassVar = {
        "startVUs": ("start_vus", kinds.Int()),
        "stages": ("stages", kinds.ScenarioStages()),
        "gracefulRampDown": ("graceful_ramp_down", kinds.Duration()),
    }

    start_vus: int = 1
    stages: tuple[kinds.Stage, ...] = ()
    graceful_ramp_down: float = GRACEFUL_STOP

    def validate_own(self) -> list[str]:
        wrong = []
        if self.start_vus < 0:
            wrong.append("the number of start VUs can't be negative")
        if max([self.start_vus, *(one.target or 0 for one in self.stages)]) <= 0:
            wrong.append("either startVUs or one of the stages' target values must be greater than 0")
        wrong += check_stages(self.stages)
        if self.start_vus > MAX_VUS:
            wrong.append(f"the startVUs exceed max limit of {MAX_VUS}")
        for number, stage in enumerate(self.stages, 1):
            if (stage.target or 0) > MAX_VUS:
                wrong.append(f"target for stage {number} exceeds max limit of {MAX_VUS}")
        return wrong

    def _duration(self) -> float:
        return sum(one.duration or 0.0 for one in self.stages)

    def plan(self, striping: Striping) -> LoopPlan:
        """Which intervals each VU works: it is there while the planned number is above its index."""
        duration = self._duration()
        working: list[list[tuple[float, float]]] = []
        since: list[float] = []  # of the VUs that work now, in the order of their indices
        for moment, count in self._changes():
            own = striping.count(count)
            while len(since) < own:
                since.append(moment)
                if len(working) < len(since):
                    working.append([])
            while len(since) > own:
                working[len(since) - 1].append((since.pop(), moment))
        end = duration + self.graceful_stop
        for index, start in enumerate(since):
            working[index].append((start, duration))
        schedule = tuple(
            self._intervals(times, end, at_work=index < len(since))
            for index, times in enumerate(working)
        )
        return LoopPlan(len(working), Unlimited(), duration, schedule, striping)

    def _intervals(
        self, times: list[tuple[float, float]], end: float, *, at_work: bool
    ) -> tuple[Interval, ...]:
        """A VU's intervals, from their starts and stops. `at_work`: the test's end is the last stop.

        Then it has gracefulStop, else gracefulRampDown, but never beyond the end.
        """
        graceful = max(self.graceful_ramp_down, 0.0)
        found: list[Interval] = []
        for number, (start, stop) in reversed(list(enumerate(times))):
            last = number == len(times) - 1
            hard_stop = end if last and at_work else min(stop + graceful, end)
            if found and found[-1].start <= hard_stop:
                hard_stop = found[-1].hard_stop
            found.append(Interval(start, stop, hard_stop))
        return tuple(reversed(found))

    def _changes(self) -> Iterator[tuple[float, int]]:
        """(moment, number of VUs from then on) of the whole test."""
        count, begun = self.start_vus, 0.0
        if count:
            yield 0.0, count
        for stage in self.stages:
            length, target = stage.duration or 0.0, stage.target or 0
            if length and target != count:
                step = 1 if target > count else -1
                distance = abs(target - count)
                for number in range(1, distance + 1):
                    yield begun + length * number / distance, count + step * number
            elif target != count:
                yield begun, target
            begun += length
            count = target

    def max_duration(self) -> float:
        return self._duration() + self.graceful_stop

    def has_work(self, striping: Striping) -> bool:
        return self._most(striping) > 0

    def progress_columns(self, striping: Striping, reached: Reached) -> tuple[str, ...]:
        most, duration, elapsed = self._most(striping), self._duration(), reached.elapsed
        time = (
            format_duration(duration)
            if elapsed >= duration
            else f"{format_fixed(elapsed, duration)}/{format_fixed(duration, duration)}"
        )
        return (f"{padded(reached.active, most)}/{most} VUs", time)

    def _most(self, striping: Striping) -> int:
        return striping.count(max([self.start_vus, *(one.target or 0 for one in self.stages)]))

    def summary(self, striping: Striping) -> str:
        return (
            f"Up to {self._most(striping)} looping VUs for {format_duration(self._duration())} over "
            f"{len(self.stages)} stages"
        )

    def notes(self, striping: Striping) -> list[str]:
        return [f"gracefulRampDown: {format_duration(self.graceful_ramp_down)}"]


def check_stages(stages: tuple[kinds.Stage, ...]) -> list[str]:
    """What is wrong with stages, in k6's words."""
    if not stages:
        return ["at least one stage has to be specified"]
    wrong = []
    for number, stage in enumerate(stages, 1):
        duration, target = stage.duration, stage.target
        if duration is None:
            wrong.append(f"stage {number} doesn't have a duration")
        elif duration < 0:
            wrong.append(f"the duration for stage {number} can't be negative")
        if target is None:
            wrong.append(f"stage {number} doesn't have a target")
        elif target < 0:
            wrong.append(f"the target for stage {number} can't be negative")
    return wrong
