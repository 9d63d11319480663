"""The contract of an output: where samples go besides the summary.

There are two kinds. An output that wants each sample has a `SampleFormatter`, which travels to the
workers and makes bytes of samples there; the coordinator's half only carries the bytes on. An output
that works on aggregates has none: it gets what the workers' snapshots add up. `outputs.extension` has
the simpler contract of outputs in other packages.

Life cycle: a module of `outputs.registry` makes an `OutputConfig` of the command line's words. When the
test is known, `OutputConfig.open` makes the `Output`; then the formatter, if any, is pickled to the
workers. About once a second and worker come `introduce`, for each metric that is new, and `merge` or
`write`. `end` and `close` come when the test and the summary are over, or when the run fails after
`open`.

Threads: all methods of `Output` are called in the coordinator's thread and must not wait: it plays the
test meanwhile. Only `close` may take some seconds. Outputs that wait for a receiver do so in threads of
their own (`outputs.pusher`). Formatters run in a worker's one thread.

Errors: `OutputConfig.open` raises JsrunnerError, and the run does not begin. Later an output never ends
the run: it puts what goes wrong into `news`, which the coordinator logs.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.store import Series
    from jsrunner.metrics.thresholds import Submetric, Threshold


class LineWriter(Protocol):
    """Writes the samples of one series (a metric with its tags), in a worker."""

    def line(self, time_s: float, value: float) -> bytes:
        """Return the bytes of a sample; `time_s` is seconds since the epoch."""
        ...


class SampleFormatter(Protocol):
    """Makes line writers. It is pickled to the workers."""

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> LineWriter:
        """Return the writer of a series, which is kept and used for its further samples.

        Args:
            metric: Whose samples they are.
            tags: The tags of all of them.
            metadata: What is no tag because it rarely repeats, such as `iter`; None for nothing.
        """
        ...


class Output:
    """The coordinator's half of an output. Methods that an output has no use for do nothing."""

    #: What formats each sample in the workers; None for an output that works on aggregates.
    formatter: SampleFormatter | None = None

    def __init__(self) -> None:
        #: Records for the log: (level, text). The coordinator logs them about once a second. Any thread
        #: of the output may append.
        self.news: deque[tuple[str, str]] = deque()

    def introduce(
        self, metric: Metric, thresholds: Sequence[Threshold], submetrics: Sequence[Submetric]
    ) -> None:
        """Take note of a metric that has its first sample.

        Args:
            metric: The metric; once per run.
            thresholds: Its own thresholds, not those of its sub-metrics.
            submetrics: All of its sub-metrics.
        """

    def write(self, data: bytes) -> None:
        """Bring out what the formatter of one worker has made since the last time."""

    def merge(self, deltas: Sequence[tuple[Series, Any]]) -> None:
        """Add what one worker has added to series since the last time (see Series.merge)."""

    def end(self) -> None:
        """Begin to bring out the rest, without waiting for it: no more samples come."""

    def close(self) -> None:
        """Bring out the rest, within some seconds of `end`. May be called twice."""


class OutputConfig(Struct, frozen=True):
    """An output as the command line names it."""

    #: As the description block shows it, e.g. `json (out.json)`.
    description: str
    #: Makes the coordinator's half, for a run with these system tags. Raises JsrunnerError.
    open: Callable[[Sequence[str]], Output]
    #: Whether it writes to standard output.
    to_stdout: bool = False
