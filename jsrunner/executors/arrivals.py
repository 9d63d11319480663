"""When iterations are started by an arrival rate, whatever the ones before do. Pure.

The rate is piecewise linear in time. Seconds count from the scenario's start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.options.segment import Striping

#: Rounding must not lose the start that falls on the very end of a ramp.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Ramp:
    """So many seconds in which the rate goes from one value to another, in iterations per second."""

    duration: float
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class RateProfile:
    """A rate over time, for the whole test."""

    ramps: tuple[Ramp, ...]
    #: Iteration n starts when n have fallen due: the first one at once. Else the first when one has.
    at_once: bool

    @property
    def duration(self) -> float:
        return sum(ramp.duration for ramp in self.ramps)

    def rate_at(self, offset: float) -> float:
        """Iterations per second at a moment."""
        for ramp in self.ramps:
            if offset < ramp.duration:
                return ramp.first + (ramp.last - ramp.first) * max(offset, 0.0) / ramp.duration
            offset -= ramp.duration
        return self.ramps[-1].last if self.ramps else 0.0

    def count(self) -> int:
        """How many starts the whole test has."""
        area = sum((ramp.first + ramp.last) / 2 * ramp.duration for ramp in self.ramps)
        return math.floor(area + _ROUNDING) + (self.at_once and self.duration > 0)

    def starts(self) -> Iterator[float]:
        """The planned starts of the whole test, in order.

        Within a ramp from rate a to b over d seconds, x seconds from its begin, a x + (b - a) x^2 / 2d
        iterations have fallen due; a start is where that sum, over all ramps, reaches a whole number.
        """
        number = 0 if self.at_once else 1
        done = begun = 0.0
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
                yield begun + min(max(offset, 0.0), length)
                number += 1
                if not area:
                    break
            done += area
            begun += length


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Iterations that start at planned times; one that finds no idle VU is dropped.

    While `max_vus` are not there, a start that finds none idle has one more VU made.
    """

    profile: RateProfile
    #: Which of the whole test's starts are this instance's.
    numbering: Striping
    max_vus: int

    def count(self) -> int:
        """How many starts this instance's segment has."""
        return self.numbering.count(self.profile.count()) if self.max_vus else 0

    def starts(self) -> Iterator[float]:
        """The starts of this instance's segment."""
        if not self.max_vus:
            return
        own = 0
        wanted = self.numbering.index(0)
        for number, offset in enumerate(self.profile.starts()):
            if number == wanted:
                yield offset
                own += 1
                wanted = self.numbering.index(own)

    def rate_at(self, offset: float) -> float:
        """This instance's iterations per second at a moment."""
        return self.profile.rate_at(offset) * float(self.numbering.segment.length)
