"""What a scenario does in this instance: which VUs iterate when, and how many iterations there are.

Pure data that a config makes and workers play. A plan knows no clock: its times are seconds since the
scenario's start. See `arrivals` for iterations that start at planned times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec import Struct

from jsrunner.executors.arrivals import Arrivals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.options.segment import Striping


class Interval(Struct, frozen=True):
    """A time in which a VU begins iterations.

    If the VU's next interval begins before `hard_stop`, an iteration may run on into that interval, and
    `hard_stop` is the later one's.
    """

    #: When the VU may begin its first iteration.
    start: float
    #: From here on no iteration begins.
    stop: float
    #: When an iteration that still runs is interrupted.
    hard_stop: float


class Unlimited(Struct, frozen=True):
    """A budget of iterations that only time limits."""


class PerVU(Struct, frozen=True):
    """A budget of `count` iterations for each VU."""

    count: int


class Shared(Struct, frozen=True):
    """A budget of `count` iterations for all VUs of this instance together."""

    count: int


class Schedule(Protocol):
    """When the VUs of a plan iterate."""

    #: Whether all VUs have the same intervals.
    is_uniform: ClassVar[bool]

    def intervals(self, index: int) -> tuple[Interval, ...]:
        """Return the intervals of the VU with this index, in the order of time."""


class Steady(Struct, frozen=True):
    """All VUs iterate from the scenario's start on."""

    is_uniform: ClassVar[bool] = True

    stop: float
    hard_stop: float

    def intervals(self, index: int) -> tuple[Interval, ...]:
        """Return the one interval that each VU has."""
        return (Interval(0.0, self.stop, self.hard_stop),)


class ScenarioPlan(Struct, frozen=True):
    """A scenario's part in this instance: VUs 0 to `vus` - 1 with their intervals, and iterations."""

    #: The part of the test that this instance runs.
    striping: Striping
    #: Seconds from the begin of all scenarios to this one's.
    start_time: float
    #: VUs that are made before the test begins.
    vus: int
    schedule: Schedule
    #: The budget of iterations.
    iterations: Unlimited | PerVU | Shared | Arrivals
    #: Seconds from the scenario's start to its regular end, and for iterations that still run then.
    duration: float
    graceful_stop: float
    #: Which numbers of the whole test the own iterations 0, 1, 2, ... have.
    numbering: Striping

    @property
    def latest_end(self) -> float:
        """Seconds from the begin of all scenarios to the latest end of this one."""
        return self.start_time + self.duration + self.graceful_stop

    @property
    def max_vus(self) -> int:
        """VUs that the scenario can have, with those that an arrival rate may have made."""
        return self.iterations.max_vus if isinstance(self.iterations, Arrivals) else self.vus

    def intervals(self, index: int) -> tuple[Interval, ...]:
        """Return the intervals of the VU with this index, in the order of time."""
        return self.schedule.intervals(index)

    def busy(self, index: int) -> Iterator[tuple[float, float]]:
        """Yield (begin, end) of the times that a VU is needed for, graceful periods included."""
        start = end = None
        for interval in self.intervals(index):
            if end is None or interval.start > end:
                if start is not None and end is not None:
                    yield start, end
                start = interval.start
            end = interval.hard_stop
        if start is not None and end is not None:
            yield start, end

    @property
    def total(self) -> int | None:
        """Iterations that are to be done in all; None if only time limits them."""
        match self.iterations:
            case PerVU(count):
                return count * self.vus
            case Shared(count):
                return count
        return None

    def progress(self, elapsed: float, completed: int) -> float:
        """Return how much is done, from 0 to 1: of the iterations, or else of the time.

        Args:
            elapsed: Seconds since the scenario's start.
            completed: Iterations that have ended by themselves.
        """
        done, whole = (elapsed, self.duration) if self.total is None else (completed, self.total)
        return min(max(done / whole, 0.0), 1.0) if whole > 0 else 1.0
