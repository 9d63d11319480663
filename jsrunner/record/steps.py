"""Steps of a record: the figures that the collector has added to each series within one step."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from jsrunner.record.sketch import count_values, pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from jsrunner.metrics.store import MergedSeries

    #: Numbers, and the packed sketch of a trend as the last figure.
    Figures: TypeAlias = Sequence[float | list[int] | None]


#: Maximum number of values of a trend that are kept before they are counted together.
_MOST_VALUES: Final = 16_384


class _Part(Protocol):
    """The figures of one series within the step."""

    def add(self, delta: Any) -> None:
        """Add a delta; its type is that of the metric's sink."""

    def figures(self) -> Figures:
        """Return the figures in the order of docs/reference/files.md."""


class _Trend:
    __slots__ = ("count", "least", "most", "sketch", "total", "values")

    def __init__(self) -> None:
        self.values = array("d")
        self.sketch: Counter[int] = Counter()
        self.count, self.total, self.least, self.most = 0, 0.0, math.inf, -math.inf

    def add(self, delta: bytes) -> None:
        self.values.frombytes(delta)
        if len(self.values) >= _MOST_VALUES:  # a step of many seconds keeps no values
            self._count()

    def _count(self) -> None:
        values, self.values = self.values, array("d")
        self.count += len(values)
        self.total += sum(values)
        self.least = min(self.least, min(values))
        self.most = max(self.most, max(values))
        self.sketch.update(count_values(values))

    def figures(self) -> Figures:
        if self.values:
            self._count()
        return [self.count, self.total, self.least, self.most, pack(self.sketch)]


class _Counter:
    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total = 0.0

    def add(self, delta: float) -> None:
        self.total += delta

    def figures(self) -> Figures:
        return [self.total]


class _Rate:
    __slots__ = ("hits", "total")

    def __init__(self) -> None:
        self.hits = self.total = 0

    def add(self, delta: tuple[int, int]) -> None:
        self.hits += delta[0]
        self.total += delta[1]

    def figures(self) -> Figures:
        return [self.hits, self.total]


class _Gauge:
    __slots__ = ("last", "least", "most")

    def __init__(self) -> None:
        self.last: float | None = None
        self.least = self.most = 0.0

    def add(self, delta: tuple[float, float, float]) -> None:
        is_first = self.last is None
        self.last, least, most = delta
        self.least = least if is_first else min(self.least, least)
        self.most = most if is_first else max(self.most, most)

    def figures(self) -> Figures:
        return [self.last, self.least, self.most]


_PARTS: dict[str, type[_Part]] = {
    "counter": _Counter,
    "gauge": _Gauge,
    "rate": _Rate,
    "trend": _Trend,
}


class Step:
    """The figures of one step by the numbers of the record's series."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}

    def add(self, number: int, series: MergedSeries, delta: Any) -> None:
        """Add a delta (see `sinks.merge_delta`)."""
        if delta == b"":
            return
        part = self._parts.get(number)
        if part is None:
            part = self._parts[number] = _PARTS[series.metric.type]()
        part.add(delta)

    def rows(self) -> Iterator[Figures]:
        """Return a row per series: its number, then the figures of its type.

        docs/reference/files.md lists the figures.
        """
        for number, part in self._parts.items():
            yield [number, *part.figures()]
