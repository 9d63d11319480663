"""Base of the outputs that send running figures of each series instead of samples."""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING, Any, Protocol

from jsrunner.metrics.sinks import CounterSink, GaugeSink, RateSink, new_sink
from jsrunner.outputs.pusher import Item, Pusher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.metrics.sinks import Sink
    from jsrunner.metrics.store import Series


class Distribution(Protocol):
    """What a trend's values go to."""

    def extend(self, values: array[float], /) -> None: ...


class Figures:
    """The running figures of one series, and when it was measured last: seconds since the epoch."""

    __slots__ = ("changed", "series", "sink")

    def __init__(self, series: Series, sink: Sink | Distribution) -> None:
        self.series = series
        self.sink = sink
        self.changed = 0.0

    def merge(self, delta: Any, moment: float) -> None:
        """Add a delta (see Series.merge)."""
        self.changed = moment
        sink = self.sink
        if isinstance(sink, CounterSink):
            sink.add(delta)
        elif isinstance(sink, RateSink):
            sink.merge_counts(*delta)
        elif isinstance(sink, GaugeSink):
            sink.merge_values(*delta)
        else:
            values = array("d")
            values.frombytes(delta)
            sink.extend(values)


class AggregatePusher(Pusher):
    """Adds up what the workers send, in its thread, and sends figures every `interval`."""

    def __init__(
        self, description: str, interval: float, distribution: Callable[[Series], Distribution]
    ) -> None:
        super().__init__(description, interval)
        self._distribution = distribution
        #: By series, in the order in which they were seen first.
        self.figures: dict[Series, Figures] = {}
        #: How many samples have come since the figures were sent.
        self._merged = 0

    def merge(self, deltas: Sequence[tuple[Series, Any]]) -> None:
        size = samples = 0
        for _, delta in deltas:
            own = len(delta) if isinstance(delta, bytes) else 8
            size += own
            samples += own // 8
        if deltas:
            self.put(Item((time.time(), deltas), size, samples))

    def loss(self, samples: int) -> str:
        return "the last figures were not sent" if samples else "the last figures were sent"

    def export(self) -> None:
        """Send the figures. Raises PushError."""
        raise NotImplementedError

    def round(self, last: bool) -> None:
        while items := self.take():
            for item in items:
                moment, deltas = item.payload
                for series, delta in deltas:
                    self._figures_of(series).merge(delta, moment)
                self._merged += item.samples
        if self._merged and self.attempt(self.export) is None:
            self.arrived(self._merged)
            self._merged = 0

    def _figures_of(self, series: Series) -> Figures:
        found = self.figures.get(series)
        if found is None:
            trend = series.metric.type == "trend"
            sink = self._distribution(series) if trend else new_sink(series.metric.type)
            found = self.figures[series] = Figures(series, sink)
        return found
