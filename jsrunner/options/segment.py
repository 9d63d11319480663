"""Execution segments: the part of a test that an instance runs, in exact fractions.

VUs and iterations of the whole test have indices from 0 on. `Striping` distributes the indices over
the segments by k6's pattern. With L the least common denominator of the segments' lengths, a segment
of length n/L gets n of every L indices, spread evenly; larger segments choose first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import accumulate, islice, pairwise
from math import lcm
from typing import TYPE_CHECKING

from msgspec import Struct

from jsrunner.options.kinds import Base
from jsrunner.options.mismatch import mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction


class Segment(Struct, frozen=True):
    """The part of a test between two fractions, from 0 to 1."""

    start: Fraction | int
    end: Fraction | int

    @property
    def length(self) -> Fraction | int:
        """The fraction of the test that the segment is."""
        return self.end - self.start

    def __str__(self) -> str:
        """Return the text that `parse_segment` reads."""
        return f"{self.start}:{self.end}"


#: The segment that is the whole test.
WHOLE = Segment(0, 1)


_NUMBER = r"[+-]?(?:[0-9]+/[0-9]+|[0-9]+\.?[0-9]*|\.[0-9]+)\Z"
_PERCENTAGE = r"[+-]?[0-9]+%\Z"


def _fraction(text: str) -> Fraction:
    from fractions import Fraction  # few tests need it

    if text.endswith("%"):
        if not re.match(_PERCENTAGE, text):
            raise ValueError(f"'{text}' is not a valid percentage")
        return Fraction(int(text[:-1]), 100)
    try:
        if re.match(_NUMBER, text):
            return Fraction(text)
    except ZeroDivisionError:
        pass
    raise ValueError(f"'{text}' is not a valid percentage, decimal, fraction or interval value")


def _segment(first: Fraction | int, last: Fraction) -> Segment:
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
    """Parse a segment: `1/3:2/3`, or `1/3` for `0:1/3`; "" is the whole test.

    Args:
        text: The segment. Its ends may also be percentages or decimals.

    Raises:
        ValueError: The text is no segment. The error's text is k6's.
    """
    start, colon, end = text.partition(":")
    if colon:
        return _segment(_fraction(start), _fraction(end))
    return _segment(0, _fraction(text)) if text else WHOLE


def parse_sequence(text: str) -> tuple[Segment, ...]:
    """Parse a sequence of segments: `0,1/3,1` has those between neighbouring points; "" has none.

    Raises:
        ValueError: The text is no sequence. The error's text is k6's.
    """
    if not text:
        return ()
    parts = text.split(",")
    if len(parts) < 2:
        raise ValueError("at least 2 points are needed for an execution segment sequence, 1 given")
    points = [_fraction(part) for part in parts]
    return tuple(_segment(first, last) for first, last in pairwise(points))


def sequence_text(sequence: Sequence[Segment]) -> str:
    """Return the text of a sequence that `parse_sequence` reads."""
    return ",".join([str(sequence[0].start), *(str(segment.end) for segment in sequence)])


class SegmentKind(Base):
    """The kind of the option executionSegment. See `kinds` for the contract."""

    go_type = "lib.ExecutionSegment"

    def from_json(self, value: object) -> Segment:
        if not isinstance(value, str):
            raise mismatch(value, "lib.ExecutionSegment")
        return parse_segment(value)

    def from_text(self, text: str) -> Segment:
        return parse_segment(text)

    def to_json(self, value: Segment) -> str:
        return str(value)


class SequenceKind(Base):
    """The kind of the option executionSegmentSequence."""

    go_type = "lib.ExecutionSegmentSequence"

    def from_json(self, value: object) -> tuple[Segment, ...]:
        if not isinstance(value, str):
            raise mismatch(value, "lib.ExecutionSegmentSequence")
        return parse_sequence(value)

    def from_text(self, text: str) -> tuple[Segment, ...]:
        return parse_sequence(text)

    def to_json(self, value: tuple[Segment, ...]) -> str:
        return sequence_text(value) if value else ""


class Striping:
    """The distribution of the indices 0, 1, 2, ... of a test over segments, seen from one of them.

    A segment's own indices are those that the pattern gives to it. The pattern is generated only as far
    as it is needed: a segment such as 0:0.123456789 has a period of a thousand million.

    Args:
        segment: The own segment; None for the whole test.
        sequence: The segments of all instances; None for the own segment and the rest around it.

    Raises:
        ValueError: The sequence does not contain the segment. The text is k6's.
    """

    def __init__(self, segment: Segment | None, sequence: Sequence[Segment] | None) -> None:
        self.segment = segment or WHOLE
        if sequence is None:
            sequence = (self.segment,)
        if self.segment not in sequence:
            points = sequence_text(sequence) if sequence else ""
            raise ValueError(f"provided segment {self.segment} can't be found in sequence {points}")
        self._sequence = _completed(sequence)
        self._position = self._sequence.index(self.segment)
        self._period = lcm(*(part.length.denominator for part in self._sequence))
        #: The number of indices of each period that each segment gets.
        self._shares = [int(part.length * self._period) for part in self._sequence]
        self._pattern = self._owners()
        #: The number of indices of the first period whose segments are known.
        self._known = 0
        #: The own indices below `_known`.
        self._own: list[int] = []

    def __reduce__(self) -> tuple[type[Striping], tuple[Segment, tuple[Segment, ...]]]:
        """Pickle the arguments only: the pattern's generator cannot be pickled."""
        return Striping, (self.segment, self._sequence)

    def _owners(self) -> Iterator[int]:
        """Yield the positions of the segments that get the indices of a period, in order."""
        order = sorted(range(len(self._shares)), key=lambda position: -self._shares[position])
        chosen = [0] * len(self._shares)
        for index in range(self._period):
            for position in order:
                if index * self._shares[position] >= chosen[position] * self._period:
                    chosen[position] += 1
                    yield position
                    break

    def _extend(self) -> None:
        """Generate the pattern for one more index."""
        if next(self._pattern) == self._position:
            self._own.append(self._known)
        self._known += 1

    def count(self, total: int) -> int:
        """Return how many of the first `total` indices of the test are own indices."""
        rounds, rest = divmod(total, self._period)
        while self._known < rest:
            self._extend()
        return rounds * self._shares[self._position] + bisect_left(self._own, rest)

    def index(self, number: int) -> int:
        """Return the index in the whole test of the own index with this number, from 0 on."""
        rounds, position = divmod(number, self._shares[self._position])
        while len(self._own) <= position:
            self._extend()
        return rounds * self._period + self._own[position]

    def rescaled(self, total: int) -> Striping:
        """Return the distribution in which each segment has the share that it has of `total` VUs.

        k6 distributes iterations by it, so that an instance's share of iterations is that of its VUs.
        The own segment must have at least one of the VUs.
        """
        rounds, rest = divmod(total, self._period)
        if not rest:
            return self
        from fractions import Fraction

        counts = [rounds * share for share in self._shares]
        for owner in islice(self._owners(), rest):
            counts[owner] += 1
        ends = [Fraction(count, total) for count in accumulate(counts)]
        segments = [
            Segment(end - Fraction(count, total), end) for count, end in zip(counts, ends, strict=True)
        ]
        return Striping(segments[self._position], [part for part in segments if part.length])


def _completed(sequence: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return the sequence with the parts of the test before its first and behind its last segment."""
    parts = list(sequence)
    if parts[0].start > 0:
        parts.insert(0, Segment(0, parts[0].start))
    if parts[-1].end < 1:
        parts.append(Segment(parts[-1].end, 1))
    return tuple(parts)
