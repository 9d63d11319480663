"""What the coordinator itself measures, in pure Python: series, added up until they are collected.

It is to the coordinator what `engine.recorder` is to a worker, for the few samples that are the run's
own, such as `vus`: outputs that want each sample get a line, and once a second `collect` gives deltas.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.outputs.base import LineWriter, SampleFormatter

#: A delta of one series: counter sum; rate (hits, total); gauge (last, min, max); trend: doubles.
Delta = float | tuple[float, float] | tuple[float, float, float] | bytes
#: (number, metric's name, type and contents, tags, time of the first sample).
NewSeries = tuple[int, str, str, str, dict[str, str], float]


class TagSet:
    """An interned set of tags with the series that carry it."""

    __slots__ = ("series", "tags")

    def __init__(self, tags: dict[str, str]) -> None:
        self.tags = tags
        self.series: dict[str, Series] = {}


class Series:
    """A metric with one tag set."""

    __slots__ = ("_recorder", "_touched", "first", "id", "metric", "tags")

    def __init__(self, recorder: Recorder, number: int, metric: Metric, tags: TagSet) -> None:
        self._recorder = recorder
        self.id = number
        self.metric = metric
        self.tags = tags
        self._touched = False
        #: When its first sample was taken, in seconds since the epoch.
        self.first = 0.0
        self.clear()

    def add(self, value: float, time_s: float, metadata: dict[str, str] | None = None) -> None:
        """Record a sample; `time_s` is seconds since the epoch."""
        if not self._touched:
            self._touch(time_s)
        self.put(value)
        if self._recorder.outputs:
            self._recorder.write(self, value, time_s, metadata)

    def _touch(self, time_s: float) -> None:
        """The first sample since the last collection."""
        self._touched = True
        self._recorder.touched.append(self)
        self.first = self.first or time_s

    def put(self, value: float) -> None:
        raise NotImplementedError

    def clear(self) -> None:
        raise NotImplementedError

    def delta(self) -> Delta:
        raise NotImplementedError

    def take(self) -> Delta:
        delta = self.delta()
        self.clear()
        self._touched = False
        return delta


class _Counter(Series):
    __slots__ = ("_sum",)

    def clear(self) -> None:
        self._sum = 0.0

    def put(self, value: float) -> None:
        self._sum += value

    def delta(self) -> Delta:
        return self._sum


class _Rate(Series):
    __slots__ = ("_hits", "_total")

    def clear(self) -> None:
        self._hits = self._total = 0

    def put(self, value: float) -> None:
        self._total += 1
        if value:
            self._hits += 1

    def delta(self) -> Delta:
        return (self._hits, self._total)


class _Gauge(Series):
    __slots__ = ("_last", "_max", "_min")

    def clear(self) -> None:
        self._last, self._min, self._max = 0.0, float("inf"), float("-inf")

    def put(self, value: float) -> None:
        self._last = value
        if value < self._min:
            self._min = value
        if value > self._max:
            self._max = value

    def delta(self) -> Delta:
        return (self._last, self._min, self._max)


class _Trend(Series):
    __slots__ = ("put", "values")

    def clear(self) -> None:
        self.values = array("d")
        self.put = self.values.append  # type: ignore[method-assign,assignment]

    def delta(self) -> Delta:
        return self.values.tobytes()


class Recorder:
    """All series of a process."""

    _KINDS: ClassVar[dict[str, type[Series]]] = {
        "counter": _Counter,
        "rate": _Rate,
        "gauge": _Gauge,
        "trend": _Trend,
    }

    def __init__(self, outputs: Sequence[SampleFormatter] = ()) -> None:
        self.outputs = list(outputs)
        self._lines: list[list[bytes]] = [[] for _ in outputs]
        self._writers: dict[tuple[int, tuple[tuple[str, str], ...]], list[LineWriter]] = {}
        self._tag_sets: dict[frozenset[tuple[str, str]], TagSet] = {}
        self._new: list[Series] = []
        self._count = 0
        self.touched: list[Series] = []

    def tag_set(self, tags: dict[str, str]) -> TagSet:
        """The interned set of these tags; the dictionary is kept and must not change."""
        key = frozenset(tags.items())
        found = self._tag_sets.get(key)
        if found is None:
            found = self._tag_sets[key] = TagSet(tags)
        return found

    def series(self, metric: Metric, tags: TagSet) -> Series:
        found = tags.series.get(metric.name)
        if found is None:
            found = self._KINDS[metric.type](self, self._count, metric, tags)
            self._count += 1
            tags.series[metric.name] = found
            self._new.append(found)
        return found

    def write(
        self, series: Series, value: float, time_s: float, metadata: dict[str, str] | None
    ) -> None:
        """Format a sample for the outputs."""
        key = (series.id, tuple(metadata.items()) if metadata else ())
        writers = self._writers.get(key)
        if writers is None:
            if len(self._writers) > 10_000:  # metadata such as `iter` never repeats
                self._writers.clear()
            writers = self._writers[key] = [
                output.format(series.metric, series.tags.tags, metadata) for output in self.outputs
            ]
        for writer, lines in zip(writers, self._lines, strict=True):
            lines.append(writer.line(time_s, value))

    def collect(
        self,
    ) -> tuple[list[NewSeries], list[tuple[int, Delta]], list[bytes]]:
        """(new series, deltas since the last time, bytes for each output)."""
        new = [
            (one.id, one.metric.name, one.metric.type, one.metric.contains, one.tags.tags, one.first)
            for one in self._new
        ]
        self._new = []
        touched, self.touched = self.touched, []
        deltas = [(one.id, one.take()) for one in touched]
        lines = [b"".join(each) for each in self._lines]
        for each in self._lines:
            each.clear()
        return new, deltas, lines
