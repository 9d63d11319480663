"""Sinks: aggregates of a metric's samples.

Sinks of several processes can be merged. `merge` is associative and, except for the last value of a
gauge, commutative. Merging an empty sink changes nothing.

A trend keeps all values until it has EXACT_LIMIT of them; until then its percentiles are exactly k6's.
Afterwards it keeps counts in buckets of relative width WIDTH. The middle of a bucket differs from a
value by at most WIDTH / 2, and by 0.3 % from k6's interpolation across a gap between two modes of the
distribution.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from itertools import repeat
from operator import truediv
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The number of values that a trend keeps: 8 MB of doubles.
EXACT_LIMIT: Final = 1_000_000
#: The relative width of a bucket: at most about 11,000 buckets between 1 us and 1 h.
WIDTH: Final = 0.001

_BASE: Final = math.log1p(WIDTH)
_LARGEST: Final = math.log(sys.float_info.max)

#: The samples that are added to a sink at once: the sum of a counter's, (hits, total) of a rate's,
#: (last, min, max) of a gauge's, a trend's values as doubles in native byte order.
Delta = int | float | tuple[int | float, ...] | bytes


class CounterSink:
    """The sum of a counter's samples."""

    __slots__ = ("count", "empty")

    def __init__(self) -> None:
        self.count = 0.0
        self.empty = True

    def add(self, value: float) -> None:
        """Add a sample, or a sum of samples."""
        self.count += value
        self.empty = False

    def merge(self, other: CounterSink) -> None:
        """Add the samples of another sink."""
        self.count += other.count
        self.empty = self.empty and other.empty

    def format(self, elapsed: float, trend_stats: Sequence[str] = ()) -> dict[str, float]:
        """Return the summary's values: the sum, and the sum per second of `elapsed`."""
        return {"count": self.count, "rate": self.count / elapsed if elapsed > 0 else 0.0}

    def value_of(self, aggregation: str, elapsed: float) -> float:
        """Return the value of a threshold's aggregation: count or rate."""
        return self.format(elapsed)[aggregation]


class GaugeSink:
    """The last, the smallest and the largest of a gauge's samples."""

    __slots__ = ("empty", "max", "min", "value")

    def __init__(self) -> None:
        self.value = self.min = self.max = 0.0
        self.empty = True

    def add(self, value: float) -> None:
        """Add a sample."""
        self.merge_values(value, value, value)

    def merge_values(self, last: float, least: float, most: float) -> None:
        """Add samples of which the last, the smallest and the largest are known."""
        self.min = least if self.empty else min(self.min, least)
        self.max = most if self.empty else max(self.max, most)
        self.value = last
        self.empty = False

    def merge(self, other: GaugeSink) -> None:
        """Add the samples of another sink, which count as later: their times are not known."""
        if not other.empty:
            self.merge_values(other.value, other.min, other.max)

    def format(self, elapsed: float, trend_stats: Sequence[str] = ()) -> dict[str, float]:
        """Return the summary's values."""
        return {"value": self.value, "min": self.min, "max": self.max}

    def value_of(self, aggregation: str, elapsed: float) -> float:
        """Return the value of a threshold's only aggregation: the last sample."""
        return self.value


class RateSink:
    """The number of a rate's samples, and of those that are not zero."""

    __slots__ = ("hits", "total")

    def __init__(self) -> None:
        self.hits = self.total = 0

    @property
    def empty(self) -> bool:
        """True if the sink has no samples."""
        return not self.total

    def add(self, value: float) -> None:
        """Add a sample."""
        self.merge_counts(1 if value else 0, 1)

    def merge_counts(self, hits: int, total: int) -> None:
        """Add samples: `total` of them, of which `hits` are not zero."""
        self.hits += hits
        self.total += total

    def merge(self, other: RateSink) -> None:
        """Add the samples of another sink."""
        self.merge_counts(other.hits, other.total)

    def format(self, elapsed: float, trend_stats: Sequence[str] = ()) -> dict[str, float]:
        """Return the summary's values."""
        return {
            "rate": self.hits / self.total if self.total else 0.0,
            "passes": self.hits,
            "fails": self.total - self.hits,
        }

    def value_of(self, aggregation: str, elapsed: float) -> float:
        """Return the value of a threshold's only aggregation: the share of nonzero samples."""
        return self.hits / self.total if self.total else 0.0


class TrendSink:
    """The distribution of a trend's samples."""

    __slots__ = ("_buckets", "_sorted", "_values", "count", "max", "min", "sum")

    exact_limit: ClassVar = EXACT_LIMIT

    def __init__(self) -> None:
        self._values = array("d")
        #: The first len(_sorted) of the values, sorted.
        self._sorted: list[float] = []
        #: Counts by bucket; None as long as the values are kept.
        self._buckets: Counter[int] | None = None
        self.count = 0
        self.sum = 0.0
        self.min = self.max = 0.0

    @property
    def empty(self) -> bool:
        """True if the sink has no samples."""
        return not self.count

    @property
    def is_exact(self) -> bool:
        """True if the sink keeps every value, False if it keeps buckets of values."""
        return self._buckets is None

    def add(self, value: float) -> None:
        """Add a sample."""
        self.extend(array("d", (value,)))

    def extend(self, values: array[float], /) -> None:
        """Add many samples at once."""
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
        """Add the samples of another sink."""
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
        self._buckets.update(other._buckets)

    def _fold(self) -> None:
        """Replace the values by counts in buckets."""
        values, self._values, self._sorted = self._values, array("d"), []
        self._buckets = Counter()
        self._count_in(values)

    def _count_in(self, values: array[float]) -> None:
        """Count values in their buckets."""
        buckets = self._buckets
        assert buckets is not None
        regular: Sequence[float] = values
        if not (self.min > 0 and self.max < math.inf):
            regular = [value for value in values if 0 < value < math.inf]
            buckets.update(_bucket(value) for value in values if not 0 < value < math.inf)
        # As `_bucket` does, at half its cost.
        buckets.update(map(math.floor, map(truediv, map(math.log, regular), repeat(_BASE))))

    # -- figures -----------------------------------------------------------------------------------

    @property
    def avg(self) -> float:
        """The mean of the values; 0 without samples."""
        return self.sum / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """Return a percentile, interpolated linearly between two values as k6 does.

        Args:
            percent: The percentile, from 0 to 100.

        Returns:
            The percentile; 0 without samples.
        """
        if not self.count:
            return 0.0
        rank = percent / 100 * (self.count - 1)
        first, second = self._values_at(math.floor(rank), math.ceil(rank))
        if first == second:  # two infinite values have no difference
            return first
        return first + (second - first) * (rank - math.floor(rank))

    def _values_at(self, low: int, high: int) -> tuple[float, float]:
        """Return the values of two ranks, of which `low` is not above `high`."""
        if self._buckets is None:
            if len(self._sorted) < len(self._values):
                # The new values are appended to the sorted ones, so that timsort only merges.
                self._sorted += self._values[len(self._sorted) :]
                self._sorted.sort()
            return self._sorted[low], self._sorted[high]
        values: list[float] = []
        passed = 0
        for bucket, count in sorted(self._buckets.items(), key=_bucket_order):
            passed += count
            while len(values) < 2 and passed > (low, high)[len(values)]:
                values.append(min(max(_middle(bucket), self.min), self.max))
            if len(values) == 2:
                break
        return values[0], values[1]

    def figure(self, stat: str) -> float:
        """Return a statistic: avg, min, med, max, count, sum or p(N)."""
        if stat == "med":
            return self.percentile(50)
        if stat.startswith("p("):
            return self.percentile(float(stat[2:-1]))
        value: float = getattr(self, stat)
        return value

    def format(self, elapsed: float, trend_stats: Sequence[str]) -> dict[str, float]:
        """Return the summary's values: the statistics of the option summaryTrendStats."""
        return {stat: self.figure(stat) for stat in trend_stats}

    def value_of(self, aggregation: str, elapsed: float) -> float:
        """Return the value of a threshold's aggregation."""
        return self.figure(aggregation)


class Distribution(Protocol):
    """A sink of a trend's values. Outputs have their own besides `TrendSink`."""

    def extend(self, values: array[float], /) -> None:
        """Add many values at once."""


Sink = CounterSink | GaugeSink | RateSink | TrendSink

_KINDS: Final[dict[str, type[Sink]]] = {
    "counter": CounterSink,
    "gauge": GaugeSink,
    "rate": RateSink,
    "trend": TrendSink,
}


def new_sink(type_: str) -> Sink:
    """Make an empty sink for metrics of a type: counter, gauge, rate or trend."""
    return _KINDS[type_]()


def merge_delta(sink: Sink | Distribution, delta: Delta) -> None:
    """Add a delta to the sink of a metric of its type."""
    if isinstance(sink, CounterSink):
        assert isinstance(delta, (int, float))
        sink.add(delta)
    elif isinstance(sink, RateSink):
        assert isinstance(delta, tuple)
        hits, total = delta
        sink.merge_counts(int(hits), int(total))
    elif isinstance(sink, GaugeSink):
        assert isinstance(delta, tuple)
        sink.merge_values(*delta)
    else:
        assert isinstance(delta, bytes)
        values = array("d")
        values.frombytes(delta)
        sink.extend(values)


#: The bucket of 0, and the offset between the buckets of positive and negative values.
_ZERO: Final = 1 << 40


def _bucket(value: float) -> int:
    """Return the bucket of a value. Buckets of negative values mirror those of positive values."""
    if value == 0:
        return _ZERO
    if math.isinf(value):
        return _ZERO * 2 if value > 0 else -_ZERO * 2
    index = math.floor(math.log(abs(value)) / _BASE)
    return index if value > 0 else -index - (_ZERO // 2)


def _middle(bucket: int) -> float:
    """Return the value in the middle of a bucket."""
    if bucket == _ZERO:
        return 0.0
    if abs(bucket) == _ZERO * 2:
        return math.inf if bucket > 0 else -math.inf
    if bucket < -_ZERO // 4:
        return -_middle(-bucket - _ZERO // 2)
    return math.exp(min((bucket + 0.5) * _BASE, _LARGEST))


def _bucket_order(item: tuple[int, int]) -> float:
    return _middle(item[0])
