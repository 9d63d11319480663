"""Execution segments: which part of a test an instance runs, in exact fractions.

The pattern is k6's: with L the least common denominator of the segments' lengths, a segment of
length n/L gets n of every L indices, spread evenly, larger segments choosing first.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any


@dataclass(frozen=True, slots=True)
class Segment:
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


def _fraction(text: str) -> Fraction:
    text = text.strip()
    try:
        value = Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"'{text}' is not a valid percentage, decimal, or fraction") from None
    return value


def parse_segment(text: str) -> Segment:
    """`1/3:2/3`, or `1/3` for `0:1/3`; also percentages and decimals. Raises ValueError."""
    start, colon, end = text.partition(":")
    first, last = (_fraction(start), _fraction(end)) if colon else (Fraction(0), _fraction(start))
    if first < 0:
        raise ValueError(f"segment start value must be at least 0 but was {float(first):.2f}")
    if first >= last:
        raise ValueError(
            f"segment start({float(first):.2f}) must be less than its end({float(last):.2f})"
        )
    if last > 1:
        raise ValueError(f"segment end value can't be more than 1 but was {float(last):.2f}")
    return Segment(first, last)


def parse_sequence(text: str) -> tuple[Segment, ...]:
    """`0,1/3,1`: the segments between neighbours. Raises ValueError."""
    points = [_fraction(part) for part in text.split(",")]
    if len(points) < 2:
        raise ValueError(f"at least two points are needed for an execution segment sequence, {text}")
    segments = []
    for first, last in pairwise(points):
        if first >= last:
            raise ValueError(
                f"segment start({float(first):.2f}) must be less than its end({float(last):.2f})"
            )
        segments.append(Segment(first, last))
    return tuple(segments)


class SegmentKind:
    """The type of the option executionSegment."""

    word = "string"

    def from_json(self, value: Any) -> Segment:
        if not isinstance(value, str):
            raise ValueError("json: cannot unmarshal value into Go value of type string")
        return parse_segment(value)

    def from_text(self, text: str) -> Segment:
        return parse_segment(text)

    from_env = from_text

    def to_json(self, value: Segment) -> str:
        return str(value)


class SequenceKind(SegmentKind):
    """The type of the option executionSegmentSequence."""

    def from_json(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError("json: cannot unmarshal value into Go value of type string")
        return parse_sequence(value)

    def from_text(self, text: str) -> Any:
        return parse_sequence(text)

    def to_json(self, value: Any) -> str:
        return ",".join([_text(value[0].start), *(_text(one.end) for one in value)])


class Striping:
    """Which of the indices 0, 1, 2, ... of a test are a segment's own."""

    def __init__(self, segment: Segment | None, sequence: tuple[Segment, ...] | None) -> None:
        """Raises ValueError for a segment that the sequence does not have."""
        self.segment = segment or WHOLE
        self._sequence = sequence or _around(self.segment)
        if self.segment not in self._sequence:
            points = SequenceKind().to_json(self._sequence)
            raise ValueError(f"provided segment {self.segment} can't be found in sequence {points}")
        self._period = lcm(*(one.length.denominator for one in self._sequence))
        self._offsets = self._choose()
        self._own = self._offsets[self.segment]

    def _choose(self) -> dict[Segment, tuple[int, ...]]:
        """Each segment's indices below the period."""
        order = sorted(self._sequence, key=lambda one: -one.length)
        chosen: dict[Segment, list[int]] = {one: [] for one in order}
        for index in range(self._period):
            for one in order:
                share = int(one.length * self._period)
                if len(chosen[one]) < share and index * share >= len(chosen[one]) * self._period:
                    chosen[one].append(index)
                    break
        return {one: tuple(own) for one, own in chosen.items()}

    def weighted(self, total: int) -> Striping:
        """The striping of what `total` others do that are shared out by this one.

        k6 shares out iterations by the number of VUs that each segment has got, and these are whole.
        It is this striping itself where the segment has got none of them.
        """
        points = [Fraction(0)]
        own: Segment | None = None
        for one in self._sequence:
            count = self._count(self._offsets[one], total)
            if not count:
                continue
            points.append(points[-1] + Fraction(count, total))
            if one == self.segment:
                own = Segment(points[-2], points[-1])
        if own is None:
            return self
        return Striping(own, tuple(Segment(*pair) for pair in pairwise(points)))

    def count(self, total: int) -> int:
        """How many of the first `total` indices are own."""
        return self._count(self._own, total)

    def _count(self, offsets: tuple[int, ...], total: int) -> int:
        rounds, rest = divmod(total, self._period)
        return rounds * len(offsets) + sum(1 for offset in offsets if offset < rest)

    def index(self, number: int) -> int:
        """The index in the whole test of the own index `number`."""
        rounds, position = divmod(number, len(self._own))
        return rounds * self._period + self._own[position]


def _around(segment: Segment) -> tuple[Segment, ...]:
    parts = [segment]
    if segment.start > 0:
        parts.insert(0, Segment(Fraction(0), segment.start))
    if segment.end < 1:
        parts.append(Segment(segment.end, Fraction(1)))
    return tuple(parts)
