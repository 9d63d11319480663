"""The contract of outputs, which receive the samples of a run.

There are two kinds. An output of samples has a `SampleFormatter`. The formatter is pickled to the
workers and turns each sample into bytes there; the coordinator's half only writes or sends the bytes.
An output of aggregates has no formatter: it gets the deltas of the workers' snapshots.
`outputs.extension` has the simpler contract of outputs in other packages.

Life cycle: a module of `outputs.registry` makes an `OutputConfig` from the command line. When the test
is known, `OutputConfig.open` makes the `Output`. About once a second and worker the coordinator calls
`introduce` for each new metric, then `merge` or `write`. It calls `end` and `close` when the test and
the summary are over, or when the run fails after `open`.

Threads: the coordinator calls all methods of `Output` in its only thread. They must not wait, because
that thread controls the test; only `close` may take some seconds. Outputs that wait for a receiver do
so in threads of their own (`outputs.pusher`). Formatters run in the only thread of a worker.

Errors: `OutputConfig.open` raises JsrunnerError, and the run does not begin. Later an output never ends
the run: it puts its errors into `news`, and the coordinator logs them.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.sinks import Delta
    from jsrunner.metrics.store import MergedSeries
    from jsrunner.metrics.thresholds import Submetric, ThresholdCondition


class SampleWriter(Protocol):
    """A writer of the samples of one series: a metric with its tags. Workers have one per series."""

    def line(self, time_s: float, value: float) -> bytes:
        """Format a sample.

        Args:
            time_s: The sample's time, in seconds since the epoch.
            value: The sample's value.
        """
        ...


class SampleFormatter(Protocol):
    """The workers' half of an output: makes line writers. It is pickled to the workers."""

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> SampleWriter:
        """Make the writer of a series, which the worker keeps for all samples of the series.

        Args:
            metric: The series' metric.
            tags: The samples' tags.
            metadata: The samples' values that are no tags because they rarely repeat, such as `iter`;
                None if there are none.
        """
        ...


class Output:
    """The coordinator's half of an output. A method does nothing unless an output overrides it."""

    #: The workers' half; None for an output of aggregates.
    formatter: SampleFormatter | None = None

    def __init__(self) -> None:
        #: Records for the log: (level, text). The coordinator logs them about once a second. Any thread
        #: of the output may append.
        self.news: deque[tuple[str, str]] = deque()

    def introduce(
        self, metric: Metric, thresholds: Sequence[ThresholdCondition], submetrics: Sequence[Submetric]
    ) -> None:
        """Note a metric, once per run, before its first sample.

        Args:
            metric: The metric.
            thresholds: The metric's own thresholds, without those of its sub-metrics.
            submetrics: The metric's sub-metrics.
        """

    def write(self, data: bytes) -> None:
        """Write or send the bytes that the formatter in one worker has made since the last call."""

    def merge(self, deltas: Sequence[tuple[MergedSeries, Delta]]) -> None:
        """Take the deltas that one worker has sent since the last call."""

    def end(self) -> None:
        """Start to write or send the rest, without waiting. No more samples come."""

    def close(self) -> None:
        """Write or send the rest, within some seconds of `end`. May be called twice."""


class OutputConfig(Struct, frozen=True):
    """An output that the command line names. It is opened when the test is known."""

    #: The output in the description block, e.g. `json (out.json)`.
    description: str
    #: Makes the output for a run with these system tags. Raises JsrunnerError.
    open: Callable[[Sequence[str]], Output]
    #: True if it writes to standard output.
    to_stdout: bool = False
