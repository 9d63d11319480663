"""Sinks: what is kept of a metric's samples. They add up over processes: `merge` is associative and
commutative, and an empty sink changes nothing.

A trend keeps every value until there are EXACT_LIMIT of them, and is exact as k6's; after that it
keeps counts in buckets of relative width WIDTH, whose middle is at most WIDTH / 2 off a value, and
0.3 % off k6's interpolation where that crosses a gap between two modes of the distribution.
"""

from __future__ import annotations

import math
import sys
from array import array
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: 8 MB of doubles.
EXACT_LIMIT: Final = 1_000_000
#: A dictionary of at most some 11,000 buckets between 1 us and 1 h.
WIDTH: Final = 0.001

_BASE: Final = math.log1p(WIDTH)
_LARGEST: Final = math.log(sys.float_info.max)


class CounterSink:
    """A sum."""

    __slots__ = ("count", "empty")

    def __init__(self) -> None:
        self.count = 0.0
        self.empty = True

    def add(self, value: float) -> None:
        self.count += value
        self.empty = False

    def merge(self, other: CounterSink) -> None:
        self.count += other.count
        self.empty = self.empty and other.empty

    def format(self, elapsed: float, trend_stats: Sequence[str] = ()) -> dict[str, float]:
        return {"count": self.count, "rate": self.count / elapsed if elapsed > 0 else 0.0}

    def value_of(self, aggregation: str, elapsed: float) -> float:
        return self.format(elapsed)[aggregation]


class GaugeSink:
    """The last value, the smallest and the largest."""

    __slots__ = ("empty", "max", "min", "value")

    def __init__(self) -> None:
        self.value = self.min = self.max = 0.0
        self.empty = True

    def add(self, value: float) -> None:
        self.merge_values(value, value, value)

    def merge_values(self, last: float, least: float, most: float) -> None:
        self.min = least if self.empty else min(self.min, least)
        self.max = most if self.empty else max(self.max, most)
        self.value = last
        self.empty = False

    def merge(self, other: GaugeSink) -> None:
        """Which of two processes was the last one nobody knows: `other` counts as later."""
        if not other.empty:
            self.merge_values(other.value, other.min, other.max)

    def format(self, elapsed: float, trend_stats: Sequence[str] = ()) -> dict[str, float]:
        return {"value": self.value, "min": self.min, "max": self.max}

    def value_of(self, aggregation: str, elapsed: float) -> float:
        return self.value


class RateSink:
    """How many of all samples were not zero."""

    __slots__ = ("hits", "total")

    def __init__(self) -> None:
        self.hits = self.total = 0

    @property
    def empty(self) -> bool:
        return not self.total

    def add(self, value: float) -> None:
        self.merge_counts(1 if value else 0, 1)

    def merge_counts(self, hits: int, total: int) -> None:
        self.hits += hits
        self.total += total

    def merge(self, other: RateSink) -> None:
        self.merge_counts(other.hits, other.total)

    def format(self, elapsed: float, trend_stats: Sequence[str] = ()) -> dict[str, float]:
        return {
            "rate": self.hits / self.total if self.total else 0.0,
            "passes": self.hits,
            "fails": self.total - self.hits,
        }

    def value_of(self, aggregation: str, elapsed: float) -> float:
        return self.hits / self.total if self.total else 0.0


class TrendSink:
    """A distribution."""

    __slots__ = ("_buckets", "_sorted", "_values", "count", "max", "min", "sum")

    exact_limit: ClassVar = EXACT_LIMIT

    def __init__(self) -> None:
        self._values = array("d")
        self._sorted: list[float] = []  # of the first len(_sorted) values
        self._buckets: dict[int, int] | None = None
        self.count = 0
        self.sum = 0.0
        self.min = self.max = 0.0

    @property
    def empty(self) -> bool:
        return not self.count

    @property
    def is_exact(self) -> bool:
        return self._buckets is None

    def add(self, value: float) -> None:
        self.extend(array("d", (value,)))

    def extend(self, values: array[float]) -> None:
        """Take over many values at once."""
        if not values:
            return
        least, most = min(values), max(values)
        self.min = least if not self.count else min(self.min, least)
        self.max = most if not self.count else max(self.max, most)
        self.count += len(values)
        self.sum += sum(values)
        if self._buckets is None:
            self._values += values
            if len(self._values) > self.exact_limit:
                self._fold()
        else:
            self._count_in(values)

    def merge(self, other: TrendSink) -> None:
        if other.empty:
            return
        if other._buckets is None:
            self.extend(other._values)
            return
        if self._buckets is None:
            self._fold()
        assert self._buckets is not None
        self.min = other.min if not self.count else min(self.min, other.min)
        self.max = other.max if not self.count else max(self.max, other.max)
        self.count += other.count
        self.sum += other.sum
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count

    def _fold(self) -> None:
        """Give up the values for buckets."""
        values, self._values, self._sorted = self._values, array("d"), []
        self._buckets = {}
        self._count_in(values)

    def _count_in(self, values: array[float]) -> None:
        buckets = self._buckets
        assert buckets is not None
        for value in values:
            bucket = _bucket(value)
            buckets[bucket] = buckets.get(bucket, 0) + 1

    # -- figures -----------------------------------------------------------------------------------

    @property
    def avg(self) -> float:
        return self.sum / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """Between neighbours by linear interpolation, as k6 does; 0 of nothing."""
        if not self.count:
            return 0.0
        rank = percent / 100 * (self.count - 1)
        first, second = self._at(math.floor(rank), math.ceil(rank))
        if first == second:  # infinite ones have no difference
            return first
        return first + (second - first) * (rank - math.floor(rank))

    def _at(self, low: int, high: int) -> tuple[float, float]:
        """The values of two ranks."""
        if self._buckets is None:
            if len(self._sorted) < len(self._values):
                # The sorted part first: timsort merges the rest into it.
                self._sorted += self._values[len(self._sorted) :]
                self._sorted.sort()
            return self._sorted[low], self._sorted[high]
        found: list[float] = []
        passed = 0
        for bucket, count in sorted(self._buckets.items(), key=_bucket_order):
            passed += count
            while len(found) < 2 and passed > (low, high)[len(found)]:
                found.append(min(max(_middle(bucket), self.min), self.max))
            if len(found) == 2:
                break
        return found[0], found[1]

    def figure(self, stat: str) -> float:
        """One of avg, min, med, max, count, sum, p(N)."""
        if stat == "med":
            return self.percentile(50)
        if stat.startswith("p("):
            return self.percentile(float(stat[2:-1]))
        value: float = getattr(self, stat)
        return value

    def format(self, elapsed: float, trend_stats: Sequence[str]) -> dict[str, float]:
        return {stat: self.figure(stat) for stat in trend_stats}

    def value_of(self, aggregation: str, elapsed: float) -> float:
        return self.figure(aggregation)


Sink = CounterSink | GaugeSink | RateSink | TrendSink

_KINDS: Final[dict[str, type[Sink]]] = {
    "counter": CounterSink,
    "gauge": GaugeSink,
    "rate": RateSink,
    "trend": TrendSink,
}


def new_sink(type_: str) -> Sink:
    return _KINDS[type_]()


_ZERO: Final = 1 << 40  # the bucket of 0, and the offset between the signs


def _bucket(value: float) -> int:
    """0 has a bucket of its own; those of negative values mirror those of positive ones."""
    if value == 0:
        return _ZERO
    if math.isinf(value):
        return _ZERO * 2 if value > 0 else -_ZERO * 2
    index = math.floor(math.log(abs(value)) / _BASE)
    return index if value > 0 else -index - (_ZERO // 2)


def _middle(bucket: int) -> float:
    if bucket == _ZERO:
        return 0.0
    if abs(bucket) == _ZERO * 2:
        return math.inf if bucket > 0 else -math.inf
    if bucket < -_ZERO // 4:
        return -_middle(-bucket - _ZERO // 2)
    return math.exp(min((bucket + 0.5) * _BASE, _LARGEST))


def _bucket_order(item: tuple[int, int]) -> float:
    return _middle(item[0])
