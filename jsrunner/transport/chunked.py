"""Decoder of the chunked transfer coding (RFC 9112, section 7.1): bytes in, pieces of the body out.

It accepts the same bodies as Go's net/http, and its error texts are Go's.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from jsrunner.transport.head import Malformed, parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Maximum bytes of a line between chunks, and of a trailer.
_MAX_LINE_BYTES: Final = 4096
#: Maximum bytes that are not data, beyond the allowance of each chunk.
_MAX_EXCESS_BYTES: Final = 16384
_ENDLESS_TRAILER: Final = "http: suspiciously long trailer after chunked body"
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]+\Z")


class _Expects(Enum):
    SIZE = 0
    DATA = 1
    END_OF_DATA = 2
    TRAILER = 3
    NOTHING = 4


class ChunkedBody:
    """The decoder of one body. Its user feeds it received bytes until `is_complete`."""

    def __init__(self) -> None:
        self._expects = _Expects.SIZE
        self._rest = b""
        #: Bytes of the current chunk that have not arrived yet.
        self._left = 0
        self._excess = 0

    @property
    def is_complete(self) -> bool:
        """True if the last chunk has arrived."""
        return self._expects is _Expects.NOTHING

    @property
    def rest(self) -> bytes:
        """The received bytes behind the body."""
        return self._rest if self.is_complete else b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the pieces of the body in `data`. Raises Malformed."""
        data = self._rest + data if self._rest else data
        position = 0
        while True:
            if self._expects is _Expects.DATA:
                piece = data[position : position + self._left]
                position += len(piece)
                self._left -= len(piece)
                if piece:
                    yield piece
                if self._left:
                    break
                self._expects = _Expects.END_OF_DATA
            elif self._expects is _Expects.END_OF_DATA:
                if len(data) - position < 2:
                    break
                if data[position : position + 2] != b"\r\n":
                    raise Malformed("malformed chunked encoding")
                position += 2
                self._expects = _Expects.SIZE
            elif self._expects is _Expects.SIZE:
                end = data.find(b"\n", position) + 1
                if end == 0 and len(data) - position < _MAX_LINE_BYTES:
                    break
                self._begin_chunk(data[position:end] if end else data[position:])
                position = end
            elif self._expects is _Expects.TRAILER:
                end = _end_of_trailer(data, position)
                if end < 0:
                    break
                position = end
                self._expects = _Expects.NOTHING
            else:
                break
        self._rest = data[position:]

    def _begin_chunk(self, line: bytes) -> None:
        carriage_return = line.find(b"\r")
        if len(line) >= _MAX_LINE_BYTES:
            raise Malformed("header line too long")
        if carriage_return < 0:
            raise Malformed("chunked line ends with bare LF")
        if carriage_return != len(line) - 2:
            raise Malformed("invalid CR in chunked line")
        size = line.rstrip(b" \t\r\n").partition(b";")[0]
        if not size:
            raise Malformed("empty hex number for chunk length")
        if not _SIZE.match(size):
            raise Malformed("invalid byte in chunk length")
        if len(size) > 16:
            raise Malformed("http chunk length too large")
        self._left = int(size, 16)
        # Small chunks are streams, long extensions are attacks: a chunk may have 16 bytes of its own.
        self._excess = max(self._excess + len(line) + 2 - 16 - 2 * self._left, 0)
        if self._excess > _MAX_EXCESS_BYTES:
            raise Malformed("chunked encoding contains too much non-data")
        self._expects = _Expects.DATA if self._left else _Expects.TRAILER

    def end(self) -> Malformed:
        """Return the error of a body whose connection ends now."""
        if self._expects is not _Expects.TRAILER:
            return Malformed("unexpected EOF")
        if len(self._rest) < 2:
            return Malformed("http: unexpected EOF reading trailer")
        return Malformed(_ENDLESS_TRAILER)


def _end_of_trailer(data: bytes, position: int) -> int:
    """Return the end of the trailer; -1 if it has not arrived. Raises Malformed."""
    if len(data) - position < 2:
        return -1
    if data.startswith(b"\r\n", position):
        return position + 2
    end = data.find(b"\r\n\r\n", position, position + _MAX_LINE_BYTES)
    if end < 0:
        if len(data) - position >= _MAX_LINE_BYTES:
            raise Malformed(_ENDLESS_TRAILER)
        return -1
    parse_fields(data[position:end].split(b"\r\n"))
    return end + 4
