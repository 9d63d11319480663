"""The base of outputs that send running figures of each series instead of samples."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jsrunner.metrics.sinks import merge_delta, new_sink
from jsrunner.outputs.pusher import Item, Pusher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.metrics.sinks import Delta, Distribution, Sink
    from jsrunner.metrics.store import MergedSeries


class Figures:
    """The running figures of one series."""

    __slots__ = ("changed", "series", "sink")

    def __init__(self, series: MergedSeries, sink: Sink | Distribution) -> None:
        self.series = series
        self.sink = sink
        #: The time of the last delta, in seconds since the epoch.
        self.changed = 0.0

    def merge(self, delta: Delta, time_s: float) -> None:
        """Add a delta that came at this time."""
        self.changed = time_s
        merge_delta(self.sink, delta)


class AggregatePusher(Pusher):
    """An output that merges the workers' deltas in its thread and sends the figures now and then.

    Args:
        description: The output, as messages name it.
        interval: Seconds between two sends.
        distribution: Makes the sink of a trend's series.
    """

    def __init__(
        self, description: str, interval: float, distribution: Callable[[MergedSeries], Distribution]
    ) -> None:
        super().__init__(description, interval)
        self._distribution = distribution
        #: The figures by series, in the order of their first samples.
        self.figures: dict[MergedSeries, Figures] = {}
        #: Samples in the figures that have not been sent.
        self._merged = 0

    def merge(self, deltas: Sequence[tuple[MergedSeries, Delta]]) -> None:
        """Hand deltas over to the thread."""
        size = samples = 0
        for _, delta in deltas:
            own = len(delta) if isinstance(delta, bytes) else 8
            size += own
            samples += own // 8
        if deltas:
            self.put(Item((time.time(), deltas), size, samples))

    def loss(self, samples: int) -> str:
        """Return the text about the samples that did not arrive."""
        return "the last figures were not sent" if samples else "the last figures were sent"

    def export(self) -> None:
        """Send the figures.

        Raises:
            PushError: The receiver did not accept them.
        """
        raise NotImplementedError

    def round(self, last: bool) -> None:
        """Merge the deltas that wait and send the figures."""
        while items := self.take():
            for item in items:
                time_s, deltas = item.payload
                for series, delta in deltas:
                    self._figures_of(series).merge(delta, time_s)
                self._merged += item.samples
        if self._merged and self.attempt(self.export) is None:
            self.arrived(self._merged)
            self._merged = 0

    def _figures_of(self, series: MergedSeries) -> Figures:
        figures = self.figures.get(series)
        if figures is None:
            is_trend = series.metric.type == "trend"
            sink = self._distribution(series) if is_trend else new_sink(series.metric.type)
            figures = self.figures[series] = Figures(series, sink)
        return figures
