"""Series of samples: the metrics and tag sets behind the core's numbers.

The core aggregates series by number (core/samples.c). This module has the tag sets and metrics of the
numbers. Once a second `collect` takes the aggregates for the coordinator. If outputs write each sample,
the core keeps records. `drain` formats them as lines, so that the coordinator only copies bytes.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from jsrunner.core.binding import Collected
from jsrunner.messages.protocol import NewSeries, SeriesDelta
from jsrunner.metrics.registry import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jsrunner.metrics.registry import Metric, Registry
    from jsrunner.metrics.sinks import Delta
    from jsrunner.outputs.base import SampleFormatter, SampleWriter

#: Built-in metrics that the core knows by number: enum metric of core.h.
_CORE_METRICS: Final = (
    "data_sent", "data_received", "iteration_duration", "iterations", "checks", "group_duration",
)  # fmt: skip
#: enum series_kind of core/samples.c.
_KINDS: Final = {"counter": 0, "rate": 1, "gauge": 2, "trend": 3}
_COLLECT_AT_ONCE: Final = 512
#: Maximum number of cached writers, because metadata such as `iter` never repeat.
_WRITERS_MAX: Final = 10_000


class _Record(ctypes.Structure):
    """`struct record` of core/samples.c."""

    _fields_ = (
        ("time", ctypes.c_double),
        ("value", ctypes.c_double),
        ("series", ctypes.c_int32),
        ("metadata", ctypes.c_int32),
    )


class TagSet:
    """An interned set of tags with the series that carry it."""

    __slots__ = ("number", "series", "tags")

    def __init__(self, number: int, tags: dict[str, str]) -> None:
        self.number = number
        self.tags = tags
        self.series: dict[str, CoreSeries] = {}


class CoreSeries:
    """A metric with one tag set."""

    __slots__ = ("_recorder", "is_announced", "metric", "number", "tags")

    def __init__(self, recorder: SampleRecorder, number: int, metric: Metric, tags: TagSet) -> None:
        self._recorder = recorder
        self.number = number
        self.metric = metric
        self.tags = tags
        #: True if the coordinator knows it.
        self.is_announced = False

    def add(self, value: float, time_s: float, metadata: dict[str, str] | None = None) -> None:
        """Record a sample; `time_s` is seconds since the epoch."""
        recorder = self._recorder
        recorder.library.core_sample(self.number, value, time_s, recorder.metadata_number(metadata))


class Row:
    """Series that always get samples together, as the metrics of one request."""

    __slots__ = ("_count", "_numbers", "_recorder", "_values", "series")

    def __init__(self, recorder: SampleRecorder, series: Sequence[CoreSeries]) -> None:
        self._recorder = recorder
        self.series = tuple(series)
        self._count = len(series)
        self._numbers = (ctypes.c_int32 * len(series))(*(member.number for member in series))
        self._values = ctypes.c_double * len(series)

    def add(
        self, values: Sequence[float], time_s: float, metadata: dict[str, str] | None = None
    ) -> None:
        """Record one value of each series, in their order."""
        recorder = self._recorder
        recorder.library.core_samples(
            self._numbers,
            self._values(*values),
            self._count,
            time_s,
            recorder.metadata_number(metadata),
        )


class SampleRecorder:
    """All series of a process."""

    def __init__(
        self, library: ctypes.CDLL, registry: Registry, outputs: Sequence[SampleFormatter] = ()
    ) -> None:
        self.library = library
        self._registry = registry
        self.outputs = list(outputs)
        self._lines: list[list[bytes]] = [[] for _ in outputs]
        self._writers: dict[tuple[int, int], list[SampleWriter]] = {}
        self._tag_sets: dict[frozenset[tuple[str, str]], TagSet] = {}
        # The core's numbers continue those of an earlier recorder of this process.
        self._tag_sets_by_number: dict[int, TagSet] = {}
        self._series: dict[int, CoreSeries] = {}
        self._metrics: list[str] = list(_CORE_METRICS)
        self._metric_numbers = {name: number for number, name in enumerate(_CORE_METRICS)}
        self._metadata: list[dict[str, str]] = []
        self._metadata_numbers: dict[tuple[tuple[str, str], ...], int] = {}
        self._collected = (Collected * _COLLECT_AT_ONCE)()
        #: Seconds to add to the times of samples: the machine's clock is that much behind.
        self.clock_lag = 0.0
        library.core_keep_records(bool(outputs))

    # -- names and numbers -------------------------------------------------------------------------

    def metric_number(self, name: str) -> int:
        """Return the number of a metric in JavaScript and the core."""
        number = self._metric_numbers.get(name)
        if number is None:
            number = self._metric_numbers[name] = len(self._metrics)
            self._metrics.append(name)
        return number

    def metadata_number(self, metadata: dict[str, str] | None) -> int:
        """Return the number of metadata, -1 for none. Only outputs need it."""
        return self.intern_metadata(metadata) if self.outputs else -1

    def intern_metadata(self, metadata: dict[str, str] | None) -> int:
        """Return the number by which `metadata_of` knows metadata, -1 for none."""
        if not metadata:
            return -1
        key = tuple(metadata.items())
        number = self._metadata_numbers.get(key)
        if number is None:
            number = self._metadata_numbers[key] = len(self._metadata)
            self._metadata.append(metadata)
        return number

    def metadata_of(self, number: int) -> dict[str, str] | None:
        """Return the metadata of a number, None for -1."""
        return None if number < 0 else self._metadata[number]

    def tag_set_of(self, number: int) -> TagSet | None:
        """Return the tag set of a number, None if it has none or is an earlier recorder's."""
        return self._tag_sets_by_number.get(number)

    def tag_set(self, tags: dict[str, str]) -> TagSet:
        """Return the interned set of these tags; the dictionary is kept and must not change."""
        key = frozenset(tags.items())
        tag_set = self._tag_sets.get(key)
        if tag_set is None:
            tag_set = self._tag_sets[key] = TagSet(self.library.core_tag_set_create(), tags)
            self._tag_sets_by_number[tag_set.number] = tag_set
        return tag_set

    def series(self, metric: Metric, tags: TagSet) -> CoreSeries:
        """Return the series of a metric with these tags."""
        series = tags.series.get(metric.name)
        if series is None:
            number = self.library.core_series_create(_KINDS[metric.type])
            series = tags.series[metric.name] = CoreSeries(self, number, metric, tags)
            self._series[number] = series
            self.library.core_tag_set_series(tags.number, self.metric_number(metric.name), number)
        return series

    def series_number(self, tag_set: int, metric: int) -> int:
        """Return the number of a series by those of its tag set and its metric, for the core."""
        name = self._metrics[metric]
        known = self._registry.get(name) or BUILTIN[name]
        return self.series(known, self._tag_sets_by_number[tag_set]).number

    def row(self, metrics: Iterable[Metric], tags: dict[str, str]) -> Row:
        """Return the series of these metrics with these tags; the dictionary must not change."""
        tag_set = self.tag_set(tags)
        return Row(self, [self.series(metric, tag_set) for metric in metrics])

    # -- what goes to the coordinator --------------------------------------------------------------

    def drain(self) -> None:
        """Encode the core's kept records as lines for the outputs."""
        count = ctypes.c_size_t()
        address = self.library.core_take_records(ctypes.byref(count))
        if not count.value:
            return
        lag = self.clock_lag
        for record in (_Record * count.value).from_address(address):
            key = (record.series, record.metadata)
            writers = self._writers.get(key)
            if writers is None:
                writers = self._new_writers(key)
            for writer, lines in zip(writers, self._lines, strict=True):
                lines.append(writer.line(record.time + lag, record.value))

    def _new_writers(self, key: tuple[int, int]) -> list[SampleWriter]:
        if len(self._writers) > _WRITERS_MAX:
            self._writers.clear()
        series, metadata = self._series[key[0]], None if key[1] < 0 else self._metadata[key[1]]
        writers = self._writers[key] = [
            output.format(series.metric, series.tags.tags, metadata) for output in self.outputs
        ]
        return writers

    def collect(self) -> tuple[list[NewSeries], list[SeriesDelta], list[bytes]]:
        """Return (new series, deltas since the last time, bytes for each output)."""
        self.drain()
        new: list[NewSeries] = []
        deltas: list[SeriesDelta] = []
        collected = self._collected
        while count := self.library.core_collect(collected, _COLLECT_AT_ONCE):
            for sums in collected[:count]:
                series = self._series.get(sums.series)
                if series is None:  # an earlier recorder's
                    continue
                if not series.is_announced:
                    series.is_announced = True
                    metric = series.metric
                    new.append(
                        NewSeries(
                            series.number, metric.name, metric.type, metric.contains, series.tags.tags,
                            sums.first_time + self.clock_lag,
                        )
                    )  # fmt: skip
                deltas.append(SeriesDelta(series.number, _delta(sums)))
        new.sort()
        lines = [b"".join(pieces) for pieces in self._lines]
        for pieces in self._lines:
            pieces.clear()
        return new, deltas, lines


def _delta(sums: Collected) -> Delta:
    if sums.kind == 0:
        return float(sums.a)
    if sums.kind == 1:
        return (int(sums.a), int(sums.b))
    if sums.kind == 2:
        return (sums.a, sums.b, sums.c)
    return ctypes.string_at(sums.values, sums.count * 8)
