"""The output to a file, which `csv` and `json_lines` use."""

from __future__ import annotations

import contextlib
import sys
from typing import IO, TYPE_CHECKING

from jsrunner.errors import JsrunnerError
from jsrunner.outputs.base import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.thresholds import Submetric, ThresholdCondition
    from jsrunner.outputs.base import SampleFormatter


def is_stdout(path: str) -> bool:
    """Return True if the path of an output means standard output."""
    return path in ("", "-")


class FileOutput(Output):
    """An output of lines to a file, or to standard output. A file that ends in `.gz` is compressed.

    The run goes on when writing fails: a full disk must not cost the summary. `close` reports the
    number of lost samples.

    Args:
        path: The file; `-` or "" is standard output.
        formatter: The formatter of the lines.
        header: The first lines.
        introduce: Makes the line before a metric's first sample.
        error_prefix: The text before the reason why the file cannot be opened.

    Raises:
        JsrunnerError: The file cannot be opened.
    """

    def __init__(
        self,
        path: str,
        formatter: SampleFormatter,
        *,
        header: bytes = b"",
        introduce: Callable[[Metric, Sequence[ThresholdCondition], Sequence[Submetric]], bytes]
        | None = None,
        error_prefix: str = "",
    ) -> None:
        super().__init__()
        self.formatter = formatter
        self._path = path
        self._introduce = introduce
        self._failed = False
        #: Samples that the file may lack. Before a failure: those that may still be in the compressor.
        #: After it: those that are lost.
        self._samples = 0
        self._stdout = is_stdout(path)
        self._packed = path.endswith(".gz")
        try:
            # Without a buffer, so that the number of written bytes is known when the disk is full.
            self._file: IO[bytes] = sys.stdout.buffer if self._stdout else open(path, "wb", buffering=0)  # noqa: SIM115
        except OSError as error:
            reason = f"open {path}: {(error.strerror or '').lower()}"
            raise JsrunnerError(f"{error_prefix}{reason}") from None
        if self._packed:
            from zlib import MAX_WBITS, compressobj

            self._deflate = compressobj(wbits=MAX_WBITS | 16)  # with gzip's header and trailer
        self._append(header, 0)

    def introduce(
        self, metric: Metric, thresholds: Sequence[ThresholdCondition], submetrics: Sequence[Submetric]
    ) -> None:
        """Append the line of a metric."""
        if self._introduce is not None:
            self._append(self._introduce(metric, thresholds, submetrics), 0)

    def write(self, data: bytes) -> None:
        """Append lines of samples. They are written at once, because a reader may follow the file."""
        self._append(data, data.count(b"\n"))

    def _append(self, data: bytes, samples: int) -> None:
        if self._failed:
            self._samples += samples
        elif self._packed:
            self._samples += samples
            if packed := self._deflate.compress(data):
                self._put(packed)
                if not self._failed:  # some of these samples are still in the compressor
                    self._samples = samples
        else:
            written = len(data) - self._put(data)
            if self._failed:
                self._samples = min(data.count(b"\n", written), samples)
                self._cut(written - data.rfind(b"\n", 0, written) - 1)

    def _cut(self, size: int) -> None:
        """Remove the last `size` bytes, which are an incomplete line."""
        if not self._stdout:
            with contextlib.suppress(OSError):  # a pipe or a device cannot be truncated
                self._file.truncate(self._file.tell() - size)

    def _put(self, data: bytes) -> int:
        """Write bytes and return the number of bytes that could not be written."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            self._file.flush()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self._failed = True
            self.news.append(("error", f"writing to {self._path or 'stdout'} failed: {reason.lower()}"))
        return len(rest)

    def close(self) -> None:
        """Close the file. Report the number of lost samples if writing has failed."""
        if self._file.closed:
            return
        if self._packed and not self._failed:
            self._put(self._deflate.flush())
        if self._failed and self._samples:
            most = "at most " if self._packed else ""
            text = f"{self._path or 'stdout'}: samples that were lost: {most}{self._samples}"
            self.news.append(("error", text))
            self._samples = 0
        if not self._stdout:
            with contextlib.suppress(OSError):  # `_put` has reported it
                self._file.close()
