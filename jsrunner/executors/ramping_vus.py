"""ramping-vus: a number of VUs that follows stages.

Between the values f and t of a stage of length D the k-th VU comes (or goes) where the straight line
crosses k, i.e. at D * |k - f| / |t - f|. The VU with the highest number stops first. A VU that
the plan takes away may finish its iteration within gracefulRampDown; if the plan wants it again
before that has passed, the same VU goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jsrunner.executors.base import (
    GRACEFUL_STOP,
    ExecutorConfig,
    Interval,
    ScenarioPlan,
    Unlimited,
)
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.options.segment import Striping

#: k6's own bound.
MAX_TARGET = 100_000_000


@dataclass(frozen=True, kw_only=True)
class RampingVUs(ExecutorConfig):
    type: ClassVar = "ramping-vus"
    own: ClassVar = {
        "startVUs": ("start_vus", kinds.Int()),
        "stages": ("stages", kinds.Stages()),
        "gracefulRampDown": ("graceful_ramp_down", kinds.Duration()),
    }

    start_vus: int = 1
    stages: tuple[dict[str, Any], ...] = ()
    graceful_ramp_down: float = GRACEFUL_STOP

    def validate_own(self) -> list[str]:
        wrong = []
        if self.start_vus < 0:
            wrong.append("the number of start VUs can't be negative")
        if max([self.start_vus, *(one.get("target") or 0 for one in self.stages)]) <= 0:
            wrong.append("either startVUs or one of the stages' target values must be greater than 0")
        return wrong + check_stages(self.stages)

    def _duration(self) -> float:
        return float(sum(one["duration"] for one in self.stages))

    def plan(self, striping: Striping) -> ScenarioPlan:
        """Which interval each VU works: it is there while the planned number is above its index."""
        duration = self._duration()
        end = duration + self.graceful_stop
        working: list[list[Interval]] = []
        since: list[float] = []  # of the VUs that work now, in the order of their indices
        for moment, count in self._changes():
            own = striping.count(count)
            while len(since) < own:
                since.append(moment)
                if len(working) < len(since):
                    working.append([])
            while len(since) > own:
                self._stop(working[len(since) - 1], since.pop(), moment, end)
        for index, start in enumerate(since):
            working[index].append(Interval(start, duration, end))
            self._join(working[index])
        return ScenarioPlan(len(working), Unlimited(), duration, tuple(map(tuple, working)))

    def _stop(self, intervals: list[Interval], start: float, stop: float, end: float) -> None:
        intervals.append(Interval(start, stop, min(stop + self.graceful_ramp_down, end)))
        self._join(intervals)

    @staticmethod
    def _join(intervals: list[Interval]) -> None:
        """The last interval goes on with the one before where the VU was still finishing."""
        if len(intervals) > 1 and intervals[-1].start < intervals[-2].hard_stop:
            last, before = intervals.pop(), intervals.pop()
            intervals.append(Interval(before.start, last.stop, last.hard_stop))

    def _changes(self) -> Iterator[tuple[float, int]]:
        """(moment, number of VUs from then on) of the whole test."""
        count, begun = self.start_vus, 0.0
        if count:
            yield 0.0, count
        for stage in self.stages:
            length, target = stage["duration"], stage["target"]
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

    def summary(self, striping: Striping) -> str:
        most = max([self.start_vus, *(one["target"] for one in self.stages)])
        return (
            f"Up to {striping.count(most)} looping VUs for {format_duration(self._duration())} over "
            f"{len(self.stages)} stages"
        )

    def notes(self, striping: Striping) -> list[str]:
        if self.graceful_ramp_down < 0:
            return []
        return [f"gracefulRampDown: {format_duration(self.graceful_ramp_down)}"]


def check_stages(stages: tuple[dict[str, Any], ...]) -> list[str]:
    """What is wrong with stages, in k6's words."""
    if not stages:
        return ["at least one stage has to be specified"]
    wrong = []
    for number, stage in enumerate(stages, 1):
        duration, target = stage.get("duration"), stage.get("target")
        if duration is None:
            wrong.append(f"stage {number} doesn't have a duration")
        elif duration < 0:
            wrong.append(f"the duration for stage {number} can't be negative")
        if target is None:
            wrong.append(f"stage {number} doesn't have a target")
        elif target < 0:
            wrong.append(f"the target for stage {number} can't be negative")
        elif target > MAX_TARGET:
            wrong.append(f"target for stage {number} exceeds max limit of {MAX_TARGET}")
    return wrong
