"""Messages of Prometheus's remote write protocol 1.0: protocol buffers, packed by Snappy.

https://prometheus.io/docs/specs/prw/remote_write_spec/ and, for native histograms, Prometheus's
prompb/types.proto.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Mapping

#: The value that ends a series.
STALE: Final[bytes] = struct.pack("<Q", 0x7FF0000000000002)

_VARINT, _FIXED, _BYTES = 0, 1, 2  # wire types


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _zigzag(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _field(number: int, wire: int, content: bytes) -> bytes:
    size = _varint(len(content)) if wire == _BYTES else b""
    return _varint(number << 3 | wire) + size + content


def series(labels: Mapping[str, str], content: bytes) -> bytes:
    """A time series of a request; `content` is a sample or a histogram."""
    pairs = b"".join(
        _field(1, _BYTES, _field(1, _BYTES, name.encode()) + _field(2, _BYTES, value.encode()))
        for name, value in sorted(labels.items())
    )
    return _field(1, _BYTES, pairs + content)


def sample(value: float | bytes, milliseconds: int) -> bytes:
    """`value` is a number, or its eight bytes."""
    content = value if isinstance(value, bytes) else struct.pack("<d", value)
    moment = _field(2, _VARINT, _varint(milliseconds))
    return _field(2, _BYTES, _field(1, _FIXED, content) + moment)


class NativeHistogram:
    """Counts of values in buckets whose bounds grow by a factor of 2 ** (1 / 2 ** SCHEMA): bucket i
    holds values up to, and including, that factor to the power of i.

    The factor is the largest there is below 1.1. `unit` is what values are divided by.
    """

    SCHEMA: Final = 3
    #: What is closer to zero counts as zero.
    ZERO: Final = 2.0**-128

    def __init__(self, unit: float = 1.0) -> None:
        self.count = self.zeros = 0
        self.sum = 0.0
        self.positive: dict[int, int] = {}
        self.negative: dict[int, int] = {}
        self._unit = unit

    def extend(self, values: array[float]) -> None:
        log2, ceil, per = math.log2, math.ceil, 1 << self.SCHEMA
        for value in values:
            value /= self._unit
            self.count += 1
            self.sum += value
            if not math.isfinite(value):
                continue  # is in the count and the sum alone
            if abs(value) <= self.ZERO:
                self.zeros += 1
                continue
            bucket = ceil(log2(abs(value)) * per)
            side = self.positive if value > 0 else self.negative
            side[bucket] = side.get(bucket, 0) + 1

    def encode(self, milliseconds: int) -> bytes:
        """As the content of a series."""
        return _field(4, _BYTES, b"".join((
            _field(1, _VARINT, _varint(self.count)),
            _field(3, _FIXED, struct.pack("<d", self.sum)),
            _field(4, _VARINT, _zigzag(self.SCHEMA)),
            _field(5, _FIXED, struct.pack("<d", self.ZERO)),
            _field(6, _VARINT, _varint(self.zeros)),
            _buckets(8, self.negative),
            _buckets(11, self.positive),
            _field(15, _VARINT, _varint(milliseconds)),
        )))  # fmt: skip


def _buckets(number: int, counts: Mapping[int, int]) -> bytes:
    """Spans of neighbouring buckets, and how each one's count differs from the one before."""
    spans: list[list[int]] = []  # offset to the end of the one before, length
    deltas = []
    end = before = 0
    for bucket, count in sorted(counts.items()):
        if spans and bucket == end:
            spans[-1][1] += 1
        else:
            spans.append([bucket - end, 1])
        end = bucket + 1
        deltas.append(_zigzag(count - before))
        before = count
    if not spans:
        return b""
    encoded = b"".join(
        _field(
            number, _BYTES, _field(1, _VARINT, _zigzag(offset)) + _field(2, _VARINT, _varint(length))
        )
        for offset, length in spans
    )
    return encoded + _field(number + 1, _BYTES, b"".join(deltas))


def pack(messages: Iterable[bytes]) -> bytes:
    """The body of a request with these series."""
    import cramjam

    return bytes(cramjam.snappy.compress_raw(b"".join(messages)))
