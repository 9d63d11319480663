"""Execution segments: which part of a test an instance runs, in exact fractions.

The pattern is k6's: with L the least common denominator of the segments' lengths, a segment of
length n/L gets n of every L indices, spread evenly, larger segments choosing first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from fractions import Fraction
from itertools import accumulate, islice, pairwise
from math import lcm
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jsrunner.options.kinds import Base
from jsrunner.options.mismatch import mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Segment(Struct, frozen=True):
    """The part of a test between two fractions of it."""

    start: Fraction
    end: Fraction

    @property
    def length(self) -> Fraction:
        return self.end - self.start

    def __str__(self) -> str:
        return f"{_text(self.start)}:{_text(self.end)}"


WHOLE = Segment(Fraction(0), Fraction(1))


def _text(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else str(value)


_NUMBER = re.compile(r"[+-]?(?:[0-9]+/[0-9]+|[0-9]+\.?[0-9]*|\.[0-9]+)\Z")
_PERCENTAGE = re.compile(r"[+-]?[0-9]+%\Z")


def _fraction(text: str) -> Fraction:
    if text.endswith("%"):
        if not _PERCENTAGE.match(text):
            raise ValueError(f"'{text}' is not a valid percentage")
        return Fraction(int(text[:-1]), 100)
    try:
        if _NUMBER.match(text):
            return Fraction(text)
    except ZeroDivisionError:
        pass
    raise ValueError(f"'{text}' is not a valid percentage, decimal, fraction or interval value")


def _segment(first: Fraction, last: Fraction) -> Segment:
    if first < 0:
        raise ValueError(f"segment start value must be at least 0 but was {float(first):.2f}")
    if first >= last:
        raise ValueError(
            f"segment start({float(first):.2f}) must be less than its end({float(last):.2f})"
        )
    if last > 1:
        raise ValueError(f"segment end value can't be more than 1 but was {float(last):.2f}")
    return Segment(first, last)


def parse_segment(text: str) -> Segment:
    """`1/3:2/3`, or `1/3` for `0:1/3`; also percentages and decimals; "" is all. Raises ValueError."""
    start, colon, end = text.partition(":")
    if colon:
        return _segment(_fraction(start), _fraction(end))
    return _segment(Fraction(0), _fraction(text)) if text else WHOLE


def parse_sequence(text: str) -> tuple[Segment, ...]:
    """`0,1/3,1`: the segments between neighbours; "" says nothing. Raises ValueError."""
    if not text:
        return ()
    points = [_fraction(part) for part in text.split(",")]
    if len(points) < 2:
        raise ValueError("at least 2 points are needed for an execution segment sequence, 1 given")
    return tuple(_segment(first, last) for first, last in pairwise(points))


def sequence_text(sequence: Sequence[Segment]) -> str:
    """As `parse_sequence` reads it."""
    return ",".join([_text(sequence[0].start), *(_text(one.end) for one in sequence)])


class SegmentKind(Base):
    """The type of the option executionSegment."""

    go_type = "lib.ExecutionSegment"

    def from_json(self, value: Any) -> Segment:
        if not isinstance(value, str):
            raise mismatch(value, "lib.ExecutionSegment")
        return parse_segment(value)

    def from_text(self, text: str) -> Segment:
        return parse_segment(text)

    def to_json(self, value: Segment) -> str:
        return str(value)


class SequenceKind(Base):
    """The type of the option executionSegmentSequence."""

    go_type = "lib.ExecutionSegmentSequence"

    def from_json(self, value: Any) -> tuple[Segment, ...]:
        if not isinstance(value, str):
            raise mismatch(value, "lib.ExecutionSegmentSequence")
        return parse_sequence(value)

    def from_text(self, text: str) -> tuple[Segment, ...]:
        return parse_sequence(text)

    def to_json(self, value: tuple[Segment, ...]) -> str:
        return sequence_text(value) if value else ""


class Striping:
    """Which of the indices 0, 1, 2, ... of a test are a segment's own.

    The pattern is looked at no further than is asked for: a segment such as 0:0.123456789 has a period
    of a thousand million.
    """

    def __init__(self, segment: Segment | None, sequence: Sequence[Segment] | None) -> None:
        """Raises ValueError if the segment is none of the sequence's."""
        self.segment = segment or WHOLE
        given = sequence or (self.segment,)
        if self.segment not in given:
            points = sequence_text(given)
            raise ValueError(f"provided segment {self.segment} can't be found in sequence {points}")
        self._sequence = _filled(given)
        self._position = self._sequence.index(self.segment)
        self._period = lcm(*(one.length.denominator for one in self._sequence))
        #: How many of each period's indices every segment gets.
        self._shares = [int(one.length * self._period) for one in self._sequence]
        self._pattern = self._owners()
        self._known = 0
        self._own: list[int] = []  # the own ones of the indices below `_known`

    def __reduce__(self) -> tuple[type[Striping], tuple[Segment, tuple[Segment, ...]]]:
        """Pickle what it was made of: workers look at the pattern anew."""
        return Striping, (self.segment, self._sequence)

    def _owners(self) -> Iterator[int]:
        """The positions of the segments that get the indices of a period, from 0 on."""
        order = sorted(range(len(self._shares)), key=lambda one: -self._shares[one])
        chosen = [0] * len(self._shares)
        for index in range(self._period):
            for one in order:
                if index * self._shares[one] >= chosen[one] * self._period:
                    chosen[one] += 1
                    yield one
                    break

    def _look(self) -> None:
        """Learn whose one more index is."""
        if next(self._pattern) == self._position:
            self._own.append(self._known)
        self._known += 1

    def count(self, total: int) -> int:
        """How many of the first `total` indices are own."""
        rounds, rest = divmod(total, self._period)
        while self._known < rest:
            self._look()
        return rounds * self._shares[self._position] + bisect_left(self._own, rest)

    def index(self, number: int) -> int:
        """The index in the whole test of the own index `number`."""
        rounds, position = divmod(number, self._shares[self._position])
        while len(self._own) <= position:
            self._look()
        return rounds * self._period + self._own[position]

    def rescaled(self, total: int) -> Striping:
        """The segments' shares as they are of `total` VUs, where this one has some.

        k6 hands out iterations by it, so that instances get them as they got the VUs.
        """
        rounds, rest = divmod(total, self._period)
        if not rest:
            return self
        counts = [rounds * share for share in self._shares]
        for owner in islice(self._owners(), rest):
            counts[owner] += 1
        ends = [Fraction(one, total) for one in accumulate(counts)]
        segments = [
            Segment(end - Fraction(count, total), end) for count, end in zip(counts, ends, strict=True)
        ]
        return Striping(segments[self._position], [one for one in segments if one.length])


def _filled(sequence: Sequence[Segment]) -> tuple[Segment, ...]:
    """With what lies before the first and behind the last segment."""
    parts = list(sequence)
    if parts[0].start > 0:
        parts.insert(0, Segment(Fraction(0), parts[0].start))
    if parts[-1].end < 1:
        parts.append(Segment(parts[-1].end, Fraction(1)))
    return tuple(parts)
