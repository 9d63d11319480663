"""All outputs of a run. `outputs.base` has the contract of a single output."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jsrunner.coordinator.log import RunLog
    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.sinks import Delta
    from jsrunner.metrics.store import MergedSeries
    from jsrunner.metrics.thresholds import Submetric, ThresholdCondition
    from jsrunner.outputs.base import Output, OutputConfig, SampleFormatter


class OutputSet:
    """Opens, feeds and closes the outputs. Used in the coordinator's thread only."""

    def __init__(self, configs: Sequence[OutputConfig], log: RunLog) -> None:
        self._configs = configs
        self._log = log
        self._outputs: list[Output] = []
        self._is_closed = False
        #: Outputs that write each sample, with their formatters; outputs of aggregates.
        self._writers: list[tuple[Output, SampleFormatter]] = []
        self._mergers: list[Output] = []

    def open(self, system_tags: Iterable[str]) -> None:
        """Open all outputs for a run with these system tags. Raises JsrunnerError."""
        tags = sorted(system_tags)
        for config in self._configs:
            output = config.open(tags)
            self._outputs.append(output)
            self._log.log("debug", f"Output started: {config.description}")
            if output.formatter is None:
                self._mergers.append(output)
            else:
                self._writers.append((output, output.formatter))

    def formatters(self) -> tuple[SampleFormatter, ...]:
        """Return the workers' formatters of samples. `write_lines` gets their lines in this order."""
        return tuple(formatter for _, formatter in self._writers)

    def introduce(
        self, metric: Metric, thresholds: Sequence[ThresholdCondition], submetrics: Sequence[Submetric]
    ) -> None:
        """Announce a metric that has its first sample."""
        for output in self._outputs:
            output.introduce(metric, thresholds, submetrics)

    def write_lines(self, lines: Sequence[bytes]) -> None:
        """Pass on the lines that a worker's formatters have made since its last snapshot."""
        for (output, _), data in zip(self._writers, lines, strict=True):
            output.write(data)

    def merge(self, deltas: Sequence[tuple[MergedSeries, Delta]]) -> None:
        """Pass on the figures that were added to series (see MergedSeries.merge)."""
        for output in self._mergers:
            output.merge(deltas)

    def write_samples(self, samples: Sequence[tuple[MergedSeries, float]], time_s: float) -> None:
        """Format samples that the coordinator itself has taken, and hand them on.

        Args:
            samples: Series with their values.
            time_s: When they were taken, in seconds since the epoch.
        """
        for output, formatter in self._writers:
            lines = [
                formatter.format(series.metric, series.tags, None).line(time_s, value)
                for series, value in samples
            ]
            output.write(b"".join(lines))

    def report_news(self) -> None:
        """Log the reports of the outputs."""
        for output in self._outputs:
            while output.news:
                self._log.log(*output.news.popleft())

    def close(self) -> None:
        """Close the outputs that were opened, once: no more samples come."""
        if self._is_closed:
            self.report_news()
            return
        self._is_closed = True
        for output in self._outputs:
            output.end()
        for output, config in zip(self._outputs, self._configs, strict=False):
            output.close()
            self._log.log("debug", f"Output stopped: {config.description}")
        self.report_news()
