"""Encoder of Prometheus's remote write protocol 1.0: protocol buffers, compressed with Snappy.

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

#: The value that marks a series as ended: a NaN with a payload of Prometheus's own.
STALE: Final[bytes] = struct.pack("<Q", 0x7FF0000000000002)

#: Wire types of protocol buffers.
_VARINT, _FIXED, _BYTES = 0, 1, 2


def _varint(number: int) -> bytes:
    """Encode a number in 7 bits per byte."""
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _zigzag(number: int) -> bytes:
    """Encode a signed number as a varint, with the sign in the lowest bit."""
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _field(number: int, wire: int, content: bytes) -> bytes:
    """Encode a field of a message."""
    size = _varint(len(content)) if wire == _BYTES else b""
    return _varint(number << 3 | wire) + size + content


def series(labels: Mapping[str, str], content: bytes) -> bytes:
    """Encode a time series.

    Args:
        labels: The labels, with the name as `__name__`.
        content: An encoded sample or histogram.
    """
    pairs = b"".join(
        _field(1, _BYTES, _field(1, _BYTES, name.encode()) + _field(2, _BYTES, value.encode()))
        for name, value in sorted(labels.items())
    )
    return _field(1, _BYTES, pairs + content)


def sample(value: float | bytes, milliseconds: int) -> bytes:
    """Encode a sample.

    Args:
        value: The value, or its eight bytes.
        milliseconds: The time, since the epoch.
    """
    content = value if isinstance(value, bytes) else struct.pack("<d", value)
    moment = _field(2, _VARINT, _varint(milliseconds))
    return _field(2, _BYTES, _field(1, _FIXED, content) + moment)


class NativeHistogram:
    """A trend's values, counted in buckets whose bounds grow by a factor of 2 ** (1 / 2 ** SCHEMA).

    Bucket i has the values up to, and including, the factor to the power of i.

    Args:
        unit: The divisor of values.
    """

    #: The schema with the largest factor below 1.1, as k6 has it.
    SCHEMA: Final = 3
    #: The absolute value up to which a value counts as zero.
    ZERO: Final = 2.0**-128

    def __init__(self, unit: float = 1.0) -> None:
        self.count = self.zeros = 0
        self.sum = 0.0
        self.positive: dict[int, int] = {}
        self.negative: dict[int, int] = {}
        self._unit = unit

    def extend(self, values: array[float], /) -> None:
        """Add values."""
        log2, ceil, per = math.log2, math.ceil, 1 << self.SCHEMA
        for value in values:
            value /= self._unit
            self.count += 1
            self.sum += value
            if not math.isfinite(value):
                continue  # no bucket has infinity or NaN, only the count and the sum
            if abs(value) <= self.ZERO:
                self.zeros += 1
                continue
            bucket = ceil(log2(abs(value)) * per)
            side = self.positive if value > 0 else self.negative
            side[bucket] = side.get(bucket, 0) + 1

    def encode(self, milliseconds: int) -> bytes:
        """Encode the histogram as the content of a series.

        Args:
            milliseconds: The time, since the epoch.
        """
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
    """Encode buckets as spans of neighbours, and as differences of neighbouring counts."""
    #: Offsets from the end of the span before, and lengths.
    spans: list[list[int]] = []
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
    """Return the body of a request with encoded series."""
    import cramjam

    return bytes(cramjam.snappy.compress_raw(b"".join(messages)))
