"""Sketches: how a trend's values of one step are kept in a record.

A sketch counts values by the upper 16 bits of their IEEE 754 single-precision form (`bfloat16`).
A value is at most 0.4 % off the middle of its bucket. Sketches add up over steps, tag sets and runs,
and a page decodes a bucket with a shift. The counting runs in C: 40 to 80 ns per value.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Where the upper half of a number stands among its two halves.
_UPPER: Final = 1 if sys.byteorder == "little" else 0
_SIGN: Final = 0x8000


def count_values(values: array[float]) -> Counter[int]:
    """Return the sketch of values: how many there are of each bucket."""
    halves = array("H")
    halves.frombytes(array("f", values).tobytes())
    return Counter(halves[_UPPER::2])


def middle(bucket: int) -> float:
    """Return the value in the middle of a bucket; zero and the infinities stand for themselves."""
    if bucket & 0x7FFF in (0, 0x7F80):
        bits = bucket << 16
    else:
        bits = bucket << 16 | _SIGN
    value: float = struct.unpack("<f", struct.pack("<I", bits))[0]
    return value


def _order(bucket: int) -> int:
    """Return a number that sorts buckets by their values."""
    return -(bucket & 0x7FFF) if bucket & _SIGN else bucket


def pack(sketch: Mapping[int, int]) -> list[int]:
    """Return a sketch as a record keeps it: bucket, count, distance to the next bucket, count, ..."""
    packed: list[int] = []
    last = 0
    for bucket in sorted(sketch):
        packed += (bucket - last, sketch[bucket])
        last = bucket
    return packed


def unpack(packed: Sequence[int]) -> Counter[int]:
    """Return the sketch that `pack` has packed.

    Raises:
        ValueError: The figures are no sketch.
    """
    buckets, counts = list(accumulate(packed[::2])), packed[1::2]
    if len(buckets) != len(counts):
        raise ValueError("a sketch has an odd number of figures")
    sketch = Counter(dict(zip(buckets, counts, strict=True)))
    if len(sketch) != len(buckets):
        raise ValueError("a sketch has a bucket twice")
    if buckets and (min(buckets) < 0 or max(buckets) >= 1 << 16 or min(counts) < 0):
        raise ValueError("a sketch has a bucket or a count out of range")
    return sketch


def merged(sketches: Iterable[Mapping[int, int]]) -> Counter[int]:
    """Return the sketch of all values together."""
    total: dict[int, int] = {}
    for sketch in sketches:
        for bucket, count in sketch.items():
            total[bucket] = total.get(bucket, 0) + count
    return Counter(total)


def coarse(sketch: Mapping[int, int]) -> Counter[int]:
    """Return the sketch with buckets that are four times as wide: at most 2 % off."""
    wide: dict[int, int] = {}
    for bucket, count in sketch.items():
        place = bucket if bucket & 0x7FFF in (0, 0x7F80) else bucket & ~3 | 2
        wide[place] = wide.get(place, 0) + count
    return Counter(wide)


def percentile(sketch: Mapping[int, int], percent: float) -> float:
    """Return a percentile, interpolated between neighbours as k6 does; 0 of nothing."""
    count = sum(sketch.values())
    if not count:
        return 0.0
    rank = percent / 100 * (count - 1)
    low, high = math.floor(rank), math.ceil(rank)
    passed, lower = 0, None
    for bucket in sorted(sketch, key=_order):
        passed += sketch[bucket]
        if lower is None and passed > low:
            lower = middle(bucket)
        if passed > high:
            upper = middle(bucket)
            assert lower is not None
            return lower if lower == upper else lower + (upper - lower) * (rank - low)
    raise AssertionError("a rank lies outside of its sketch")
