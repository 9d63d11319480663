"""Outputs: where samples go besides the summary.

There are two kinds. An output that wants each sample has a formatter, which travels to the workers
and makes bytes of samples there; the coordinator's half only carries the bytes on. An output that
works on aggregates has none: it gets what the workers' snapshots add up.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.store import Series
    from jsrunner.metrics.thresholds import Submetric, Threshold


class LineWriter(Protocol):
    """Writes the samples of one series (a metric with its tags)."""

    def line(self, time_s: float, value: float) -> bytes:
        """A sample; `time_s` is seconds since the epoch."""
        ...


class SampleFormatter(Protocol):
    """Makes line writers. It is pickled to the workers."""

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> LineWriter: ...


class Output:
    """The coordinator's half of an output. What it does not want it leaves alone.

    Nothing here may wait for long: the coordinator plays the test meanwhile.
    """

    #: What formats each sample in the workers; None for an output that works on aggregates.
    formatter: SampleFormatter | None = None

    def __init__(self) -> None:
        #: What the log is to say: (level, text). The coordinator looks at it now and then.
        self.news: deque[tuple[str, str]] = deque()

    def introduce(
        self, metric: Metric, thresholds: Sequence[Threshold], submetrics: Sequence[Submetric]
    ) -> None:
        """A metric has its first sample; these are its thresholds and what is kept of it besides."""

    def write(self, data: bytes) -> None:
        """What the formatter of one worker has made since the last time."""

    def merge(self, deltas: Sequence[tuple[Series, Any]]) -> None:
        """What one worker has added to series since the last time (see Series.merge)."""

    def end(self) -> None:
        """No more samples come: begin to bring out the rest, without waiting for it."""

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


def rfc3339(time_s: float) -> str:
    """Return local time with microseconds, as Go's RFC3339Nano."""
    return rfc3339_ns(round(time_s * 1e6) * 1000)  # a float holds no more than microseconds of it


def rfc3339_ns(nanoseconds: int) -> str:
    """Return local time with nanoseconds, trailing zeros cut, as Go's RFC3339Nano."""
    whole, rest = divmod(nanoseconds, 1_000_000_000)
    return _second(whole).replace("%", f".{rest:09d}".rstrip("0") if rest else "", 1)


_cache: list[Any] = [None, ""]


def _second(whole: int) -> str:
    """A second's text with a % for its fraction; mostly it is the same one as before."""
    if _cache[0] != whole:
        local = datetime.fromtimestamp(whole, tz=timezone.utc).astimezone()
        zone = local.strftime("%z")
        offset = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
        _cache[:] = [whole, local.strftime("%Y-%m-%dT%H:%M:%S") + "%" + offset]
    text: str = _cache[1]
    return text
