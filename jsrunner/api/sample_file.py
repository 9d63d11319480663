"""All samples of a run in a file, for `samples=True`: 24 bytes each, behind one another.

The workers make records (number of the series, time, value); the coordinator only appends them to the
file, which the program has made and maps when the run is over. What a series is crosses once per
worker, among its records: a record whose series is 0 has the size of the JSON that follows, padded to
whole records, in place of the time.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.outputs.base import Output, OutputConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.metrics.registry import Metric

#: The number of a series, microseconds since the epoch, the value; in the machine's byte order.
RECORD: Final = struct.Struct("=Qqd")
_DEFINITION: Final = struct.Struct("=QQQ")
_NO_SERIES: Final = bytes(8)


class RecordFormatter(Struct, frozen=True):
    """Makes records. A series has the same number in all workers: a hash, never 0."""

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _Writer:
        """Return the writer of one series' records. Its first record follows the series' definition."""
        from hashlib import blake2b

        import orjson

        shown = (metric.name, metric.type, metric.contains, tags, metadata or {})
        data = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
        number = int.from_bytes(blake2b(data, digest_size=8).digest(), "little") or 1
        padding = bytes(-len(data) % RECORD.size)
        return _Writer(number, _DEFINITION.pack(0, len(data), number) + data + padding)


class _Writer:
    __slots__ = ("_definition", "_number")

    def __init__(self, number: int, definition: bytes) -> None:
        self._number = number
        self._definition = definition

    def line(self, time_s: float, value: float) -> bytes:
        record = RECORD.pack(self._number, round(time_s * 1e6), value)
        if self._definition:
            record, self._definition = self._definition + record, b""
        return record


class SampleFile(Output):
    """Appends records to a file. Writing that fails is reported once and costs the run nothing else."""

    formatter = RecordFormatter()

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._failed = False
        #: JSON of (metric, type, contains, tags, metadata) by the number of the series.
        self.series: dict[int, bytes] = {}

    def write(self, data: bytes) -> None:
        """Append the records of one worker, and keep the definitions among them."""
        numbers = memoryview(data).cast("Q")[::3].tobytes()
        begin = 0
        while (place := _next_definition(numbers, begin)) >= 0:
            self._append(data[begin * RECORD.size : place * RECORD.size])
            start = (place + 1) * RECORD.size
            _, size, number = _DEFINITION.unpack_from(data, start - RECORD.size)
            self.series[number] = data[start : start + size]
            begin = place + 1 + -(-size // RECORD.size)
        self._append(data[begin * RECORD.size :])

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest and not self._failed:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._failed = True
            reason = (error.strerror or str(error)).lower()
            self.news.append(("error", f"keeping the samples failed: {reason}; some are missing"))


def _next_definition(numbers: bytes, begin: int) -> int:
    """Return the index of the next definition among the first fields of all records, -1 if none."""
    place = numbers.find(_NO_SERIES, begin * 8)
    while place >= 0 and place % 8:
        place = numbers.find(_NO_SERIES, place + 1)
    return place // 8


def sample_output(file: SampleFile) -> OutputConfig:
    """Return the output that keeps samples for the program."""

    def open_(system_tags: Sequence[str]) -> SampleFile:
        return file

    return OutputConfig("samples of the program", open_)
