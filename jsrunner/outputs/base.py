"""Outputs: where samples go besides the summary.

An output that wants each sample is two things: a formatter, which travels to the workers and writes
lines there, and a writer in the coordinator, which only copies the workers' bytes to its place.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from jsrunner.errors import JsrunnerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsrunner.metrics.registry import Metric
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


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """An output as the command line names it."""

    #: As the description block shows it, e.g. `json (out.json)`.
    description: str
    path: str
    formatter: SampleFormatter
    #: What stands before the first sample.
    header: bytes
    #: What stands before a metric's first sample, b"" for nothing.
    introduce: Callable[[Metric, Sequence[Threshold], Sequence[Submetric]], bytes]


class FileWriter:
    """A file that lines go to: `-` or nothing is standard output, `.gz` is compressed.

    `failed` tells the first error of writing. The run goes on without the output: a full disk must
    not cost the summary.
    """

    def __init__(self, config: OutputConfig) -> None:
        """Raises JsrunnerError if the file cannot be opened."""
        self.config = config
        self.failed: str | None = None
        path = config.path
        self._stdout = path in ("", "-")
        self._packed = path.endswith(".gz")
        try:
            self._file: IO[bytes] = sys.stdout.buffer if self._stdout else open(path, "wb")  # noqa: SIM115
        except OSError as error:
            raise JsrunnerError(
                f"could not create the output: open {path}: {(error.strerror or '').lower()}"
            ) from None
        if self._packed:
            from zlib import MAX_WBITS, compressobj

            self._deflate = compressobj(wbits=MAX_WBITS | 16)  # with gzip's header and trailer
        self.write(config.header)

    def write(self, data: bytes) -> None:
        """Append, and hand on to the system what is ready: a reader may follow the file."""
        if data:
            self._put(self._deflate.compress(data) if self._packed else data)

    def _put(self, data: bytes) -> None:
        if self.failed:
            return
        try:
            self._file.write(data)
            self._file.flush()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.failed = f"writing to {self.config.path or 'stdout'} failed: {reason.lower()}"

    def close(self) -> None:
        """Write the rest. May be called twice."""
        if self._file.closed or self._stdout:
            return
        if self._packed:
            self._put(self._deflate.flush())
        with contextlib.suppress(OSError):  # what could not be written is still in the buffer
            self._file.close()


def rfc3339(time_s: float) -> str:
    """Local time with nanoseconds, idle zeros cut, as Go's RFC3339Nano."""
    nanoseconds = round(time_s * 1e6) * 1000  # a float holds no more than microseconds of it
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


_REMOVED: Final = {
    "statsd": "the statsd output was deprecated in k6 v0.47.0 and removed in k6 v0.55.0, please use "
    "the new xk6 statsd output extension instead. "
    "It can be found at https://github.com/LeonAdato/xk6-output-statsd and more info at "
    "https://github.com/grafana/k6/issues/2982.",
    "datadog": "the datadog output was deprecated in k6 v0.32.0 and removed in k6 v0.34.0, please "
    "use the statsd output with env. variable K6_STATSD_ENABLE_TAGS=true instead",
    "kafka": "the kafka output was deprecated in k6 v0.32.0 and removed in k6 v0.34.0, please use "
    "the new xk6 kafka output extension instead",
}


def parse_output(spec: str, environment: Mapping[str, str]) -> OutputConfig:
    """`json=file`, `csv=...`: an output by its name and argument. Raises UsageError."""
    from jsrunner.outputs import csv, json_lines

    known = {"csv": csv.configure, "json": json_lines.configure}
    name, _, argument = spec.partition("=")
    if name in _REMOVED:
        raise UsageError(f"could not create the '{name}' output: {_REMOVED[name]}")
    if name not in known:
        raise UsageError(
            f"invalid output type '{name}', available types are: {', '.join(sorted(known))}"
        )
    return known[name](argument, environment)
