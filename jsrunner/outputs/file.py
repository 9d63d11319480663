"""Outputs that write to a file."""

from __future__ import annotations

import contextlib
import sys
from typing import IO, TYPE_CHECKING

from jsrunner.errors import JsrunnerError
from jsrunner.outputs.base import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.thresholds import Submetric, Threshold
    from jsrunner.outputs.base import SampleFormatter


def is_stdout(path: str) -> bool:
    return path in ("", "-")


class FileOutput(Output):
    """A file that lines go to: `-` or nothing is standard output, `.gz` is compressed.

    The run goes on when writing fails: a full disk must not cost the summary.
    """

    def __init__(
        self,
        path: str,
        formatter: SampleFormatter,
        *,
        header: bytes = b"",
        introduce: Callable[[Metric, Sequence[Threshold], Sequence[Submetric]], bytes] | None = None,
    ) -> None:
        """`introduce` makes the line that stands before a metric's first sample. Raises JsrunnerError
        if the file cannot be opened."""
        super().__init__()
        self.formatter = formatter
        self._path = path
        self._introduce = introduce
        self._failed = False
        self._stdout = is_stdout(path)
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
        self.write(header)

    def introduce(
        self, metric: Metric, thresholds: Sequence[Threshold], submetrics: Sequence[Submetric]
    ) -> None:
        if self._introduce is not None:
            self.write(self._introduce(metric, thresholds, submetrics))

    def write(self, data: bytes) -> None:
        """Append, and hand on to the system what is ready: a reader may follow the file."""
        if data:
            self._put(self._deflate.compress(data) if self._packed else data)

    def _put(self, data: bytes) -> None:
        if self._failed:
            return
        try:
            self._file.write(data)
            self._file.flush()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self._failed = True
            self.news.append(("error", f"writing to {self._path or 'stdout'} failed: {reason.lower()}"))

    def close(self) -> None:
        if self._file.closed or self._stdout:
            return
        if self._packed:
            self._put(self._deflate.flush())
        with contextlib.suppress(OSError):  # what could not be written is still in the buffer
            self._file.close()
