"""Start times of the iterations of an arrival rate. They do not depend on the iterations' durations.

The rate is piecewise linear in time. Times are seconds since the scenario's start. The functions are
pure: they read no clock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.options.segment import Striping

#: Tolerance of comparisons, in iterations: rounding must not lose a start at the very end of a ramp.
_ROUNDING: Final = 1e-9


class Ramp(Struct, frozen=True):
    """A period in which the rate changes linearly."""

    #: Seconds.
    duration: float
    #: Iterations per second at the begin.
    first: float
    #: Iterations per second at the end.
    last: float


class RateProfile(Struct, frozen=True):
    """A rate over time, for the whole test."""

    ramps: tuple[Ramp, ...]
    #: True if the first iteration starts at 0 instead of where the rate's integral reaches 1.
    at_once: bool

    @property
    def duration(self) -> float:
        """The sum of the ramps' durations in seconds."""
        return sum(ramp.duration for ramp in self.ramps)

    def rate_at(self, offset: float) -> float:
        """Return the iterations per second at a time."""
        for ramp in self.ramps:
            if offset < ramp.duration:
                return ramp.first + (ramp.last - ramp.first) * max(offset, 0.0) / ramp.duration
            offset -= ramp.duration
        return self.ramps[-1].last if self.ramps else 0.0

    def count(self) -> int:
        """Return the number of starts in the whole test."""
        area = sum((ramp.first + ramp.last) / 2 * ramp.duration for ramp in self.ramps)
        return math.floor(area + _ROUNDING) + (self.at_once and self.duration > 0)

    def starts(self) -> Iterator[float]:
        """Yield the planned start times of the whole test, in order.

        Within a ramp from rate a to b over d seconds, x seconds from its begin, the rate's integral is
        a x + (b - a) x^2 / 2d. A start is where the integral over all ramps reaches a whole number.
        """
        number = 0 if self.at_once else 1
        done = begin = 0.0
        for ramp in self.ramps:
            length, first, last = ramp.duration, ramp.first, ramp.last
            area = (first + last) / 2 * length
            while length > 0 and number <= done + area + _ROUNDING:
                due = number - done
                if last == first:
                    offset = due / first if first else 0.0
                else:
                    slope = last - first
                    root = math.sqrt(max(first * first + 2 * slope * due / length, 0.0))
                    offset = (root - first) * length / slope
                yield begin + min(max(offset, 0.0), length)
                number += 1
                if not area:
                    break
            done += area
            begin += length


class Arrivals(Struct, frozen=True):
    """A budget of iterations that start at planned times.

    A start is dropped if no VU is idle. Each dropped start adds a VU, up to `max_vus`.
    """

    profile: RateProfile
    #: Selects this instance's starts among those of the whole test.
    numbering: Striping
    #: The most VUs of this instance.
    max_vus: int

    def count(self) -> int:
        """Return the number of this instance's starts."""
        return self.numbering.count(self.profile.count()) if self.max_vus else 0

    def starts(self) -> Iterator[float]:
        """Yield the start times of this instance, in order."""
        if not self.max_vus:
            return
        own = 0
        next_index = self.numbering.index(0)
        for index, offset in enumerate(self.profile.starts()):
            if index == next_index:
                yield offset
                own += 1
                next_index = self.numbering.index(own)

    def rate_at(self, offset: float) -> float:
        """Return this instance's iterations per second at a time."""
        return self.profile.rate_at(offset) * float(self.numbering.segment.length)
