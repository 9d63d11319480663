"""The plan of a scenario in one instance: the times at which VUs iterate, and the budget of iterations.

`ExecutorConfig.plan` makes a plan, once per run; workers play it. A plan is pure data and reads no
clock: its times are seconds since the scenario's start. See `arrivals` for iterations that start at
planned times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec import Struct

from jsrunner.executors.arrivals import Arrivals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.options.segment import Striping


class Interval(Struct, frozen=True):
    """A period in which a VU begins iterations.

    If the VU's next interval begins before `hard_stop`, an iteration may run on into that interval;
    `hard_stop` is then that of the next interval.
    """

    #: The time from which on the VU begins iterations.
    start: float
    #: The time from which on the VU begins no iteration.
    stop: float
    #: The time at which an iteration that still runs is interrupted.
    hard_stop: float


class Unlimited(Struct, frozen=True):
    """A budget of iterations that only time limits."""


class PerVU(Struct, frozen=True):
    """A budget of `count` iterations for each VU."""

    count: int


class SharedTotal(Struct, frozen=True):
    """A budget of `count` iterations for all VUs of this instance together."""

    count: int


class Schedule(Protocol):
    """The intervals in which the VUs of a plan iterate."""

    #: True if all VUs have the same intervals.
    is_uniform: ClassVar[bool]

    def intervals(self, index: int) -> tuple[Interval, ...]:
        """Return the intervals of the VU with this index, in the order of time."""


class Steady(Struct, frozen=True):
    """A schedule in which all VUs iterate from the scenario's start on."""

    is_uniform: ClassVar[bool] = True

    stop: float
    hard_stop: float

    def intervals(self, index: int) -> tuple[Interval, ...]:
        """Return the single interval, which is the same for each VU."""
        return (Interval(0.0, self.stop, self.hard_stop),)


class ScenarioPlan(Struct, frozen=True):
    """The plan of a scenario in one instance, whose VUs have the indices 0 to `vus` - 1."""

    #: Selects this instance's VUs among those of the whole test.
    striping: Striping
    #: Seconds from the start of the test to the scenario's start.
    start_time: float
    #: VUs that are made before the test begins.
    vus: int
    #: The intervals in which the VUs iterate.
    schedule: Schedule
    #: The budget of iterations.
    iterations: Unlimited | PerVU | SharedTotal | Arrivals
    #: Seconds from the scenario's start to its regular end.
    duration: float
    #: Seconds for which iterations may run on after the regular end.
    graceful_stop: float
    #: Selects this instance's iterations among those of the whole test.
    numbering: Striping

    @property
    def latest_end(self) -> float:
        """Seconds from the start of the test to the latest end of the scenario."""
        return self.start_time + self.duration + self.graceful_stop

    @property
    def max_vus(self) -> int:
        """The most VUs of the scenario, with those that an arrival rate makes during the test."""
        return self.iterations.max_vus if isinstance(self.iterations, Arrivals) else self.vus

    def intervals(self, index: int) -> tuple[Interval, ...]:
        """Return the intervals of the VU with this index, in the order of time."""
        return self.schedule.intervals(index)

    def busy(self, index: int) -> Iterator[tuple[float, float]]:
        """Yield (begin, end) of the periods in which a VU is in use, graceful stops included."""
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
        """The number of iterations of all VUs; None if the plan has no number of them."""
        match self.iterations:
            case PerVU(count):
                return count * self.vus
            case SharedTotal(count):
                return count
        return None

    def progress(self, elapsed: float, completed: int) -> float:
        """Return the part of the scenario that is done, from 0 to 1.

        The part is that of the iterations if the plan has a number of them, else that of the duration.

        Args:
            elapsed: Seconds since the scenario's start.
            completed: The number of iterations that have ended without an interruption.
        """
        done, goal = (elapsed, self.duration) if self.total is None else (completed, self.total)
        return min(max(done / goal, 0.0), 1.0) if goal > 0 else 1.0
