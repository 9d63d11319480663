"""Content codings (RFC 9110, section 8.4): gzip, deflate, br and zstd, for requests and responses."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from jsrunner.transport.body import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Supported codings, in k6's order; `deflate` is the zlib format.
CODINGS: Final = ("gzip", "deflate", "zstd", "br")

#: Bytes of one decoded piece: about a millisecond of CPU.
_PIECE_BYTES: Final = 1 << 20
#: Bytes of one input slice where a decoder does not bound its output (32,768 times as much).
_SLICE_BYTES: Final = 256
#: Bytes at the end that are decoded one by one: an error there must not lose the data before it.
_LAST_BYTES: Final = 512

#: Window bits of zlib for a deflated body without header and trailer.
_RAW: Final = -15

# RFC 1952, section 2.3.
_GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_GZIP_HEADER_BYTES: Final = 10
_GZIP_TRAILER_BYTES: Final = 8
_HAS_CHECKSUM, _HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 2, 4, 8, 16
_ZLIB_HEADER_BYTES: Final = 2
_ZLIB_TRAILER_BYTES: Final = 4
_ZSTD_MAGIC_BYTES: Final = 4

#: Go's texts by libzstd's.
_ZSTD_REASONS: Final = (
    ("Unknown frame descriptor", "invalid input: magic number mismatch"),
    ("match checksum", "CRC check failed"),
    ("too much memory", "window size exceeded"),
)


class DecodingError(Exception):
    """A body does not match its Content-Encoding.

    `text` is Go's text. `message` is that of k6's `response.error`, which wraps some errors twice.
    `is_known` is true if k6 counts the error as one of decompression (a truncated body is none).
    """

    def __init__(self, reason: str, *, is_known: bool, is_wrapped_twice: bool = False) -> None:
        self.text = _wrapped(reason) if is_known else reason
        self.message = _wrapped(self.text) if is_wrapped_twice else self.text
        self.is_known = is_known
        super().__init__(self.text)


class Undecodable(DecodingError):
    """The beginning of a body does not match its Content-Encoding: k6 has no body then."""


def _wrapped(reason: str) -> str:
    return f"error decompressing response body ({reason})"


def _broken_off() -> DecodingError:
    return DecodingError("unexpected EOF", is_known=False)


def _wrong(reason: str) -> DecodingError:
    return DecodingError(reason, is_known=True, is_wrapped_twice=True)


def encode(body: bytes, codings: Sequence[str]) -> bytes:
    """Apply codings, the first one first."""
    for coding in codings:
        body = _ENCODERS[coding](body)
    return body


def decode(
    body: bytes, codings: Sequence[str], limit: int, pause: Callable[[], None] = lambda: None
) -> tuple[bytes, DecodingError | None]:
    """Undo codings, the last one first; unknown ones are left alone.

    Args:
        body: The encoded body.
        codings: The names of the codings, in the order in which they were applied.
        limit: Maximum bytes of the decoded body.
        pause: Called between pieces; its exceptions are passed on.

    Returns:
        The decoded part of the body, and the error that ended the decoding, None without one.

    Raises:
        TooLarge
    """
    problem = None
    for coding in reversed(codings):
        decoder = _DECODERS.get(coding)
        if decoder is None:
            continue
        decoded = Body(limit)
        try:
            for piece in decoder(body):
                decoded.add(piece)
                pause()
        except DecodingError as error:
            problem = problem or error
        body = decoded.take() or b""
    return body, problem


# -- encoding ------------------------------------------------------------------------------------------


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(body) + packer.flush()


def _zstd(body: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(body)


def _br(body: bytes) -> bytes:
    import brotli

    packed: bytes = brotli.compress(body, quality=6)  # the level of Go's package
    return packed


# -- decoding: each yields pieces, and raises DecodingError --------------------------------------------


def _gunzip(body: bytes) -> Iterator[bytes]:
    if len(body) < _GZIP_HEADER_BYTES:
        raise Undecodable("unexpected EOF" if body else "EOF", is_known=True)
    if not body.startswith(_GZIP_MAGIC):
        raise Undecodable("gzip: invalid header", is_known=True, is_wrapped_twice=True)
    while body:  # there may be several members (RFC 1952, section 2.2)
        checksum = size = 0
        inflating = _inflate(body[_end_of_gzip_header(body) :])
        for piece in inflating:
            checksum = zlib.crc32(piece, checksum)
            size += len(piece)
            yield piece
        rest = inflating.rest
        trailer = checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
        if len(rest) < _GZIP_TRAILER_BYTES:
            raise _broken_off()
        if not rest.startswith(trailer):
            raise _wrong("gzip: invalid checksum")
        body = rest[_GZIP_TRAILER_BYTES:]


def _end_of_gzip_header(body: bytes) -> int:
    """Return the end of a member's header."""
    if len(body) < _GZIP_HEADER_BYTES:
        raise _broken_off()
    if not body.startswith(_GZIP_MAGIC):
        raise _wrong("gzip: invalid header")
    flags, end = body[3], _GZIP_HEADER_BYTES
    if flags & _HAS_EXTRA:
        end += 2 + int.from_bytes(body[end : end + 2], "little")
    for flag in (_HAS_NAME, _HAS_COMMENT):
        if flags & flag:
            end = body.find(b"\0", end) + 1 or len(body) + 1
    if flags & _HAS_CHECKSUM:
        end += 2
    if end > len(body):
        raise _broken_off()
    return end


def _undeflate(body: bytes) -> Iterator[bytes]:
    if len(body) < _ZLIB_HEADER_BYTES:
        raise Undecodable("unexpected EOF", is_known=True)
    if body[0] & 15 != 8 or int.from_bytes(body[:2], "big") % 31:
        raise Undecodable("zlib: invalid header", is_known=True, is_wrapped_twice=True)
    if body[1] & 32:
        raise Undecodable("zlib: invalid dictionary", is_known=True, is_wrapped_twice=True)
    checksum = 1
    inflating = _inflate(body[_ZLIB_HEADER_BYTES:])
    for piece in inflating:
        checksum = zlib.adler32(piece, checksum)
        yield piece
    if len(inflating.rest) < _ZLIB_TRAILER_BYTES:
        raise _broken_off()
    if not inflating.rest.startswith(checksum.to_bytes(4, "big")):
        raise _wrong("zlib: invalid checksum")


class _inflate:
    """An iterator over the pieces of a deflated body (RFC 1951); `rest` gets the bytes behind it."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._size = 0
        self.rest = b""

    def __iter__(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(_RAW)
        left = self._body
        while not unpacker.eof:
            try:
                piece = unpacker.decompress(left, _PIECE_BYTES)
            except zlib.error:
                yield from self._before_the_error()
            left = unpacker.unconsumed_tail
            self._size += len(piece)
            if piece:
                yield piece
            elif not left and not unpacker.eof:
                raise _broken_off()
        self.rest = unpacker.unused_data

    def _before_the_error(self) -> Iterator[bytes]:
        """Yield the data that zlib has held back of a corrupt body, then raise DecodingError."""
        unpacker = zlib.decompressobj(_RAW)
        decoded = bytearray()
        offset = 0
        try:
            for offset in range(len(self._body)):
                decoded += unpacker.decompress(self._body[offset : offset + 1])
        except zlib.error:
            pass
        yield bytes(decoded[self._size :])
        raise DecodingError(f"flate: corrupt input before offset {offset + 1}", is_known=False)


def _unzstd(body: bytes) -> Iterator[bytes]:
    import zstandard

    while body:  # there may be several frames (RFC 8878, section 3)
        if len(body) < _ZSTD_MAGIC_BYTES:
            raise _broken_off()
        unpacker = zstandard.ZstdDecompressor().decompressobj()
        try:
            for start, end in _slices(len(body)):
                piece = unpacker.decompress(body[start:end])
                if piece:
                    yield piece
                if unpacker.eof:
                    body = unpacker.unused_data + body[end:]
                    break
            else:
                raise _broken_off()
        except zstandard.ZstdError as error:
            text = str(error)
            known = (reason for part, reason in _ZSTD_REASONS if part in text)
            raise _wrong(next(known, f"zstd: {text}")) from None


def _unbr(body: bytes) -> Iterator[bytes]:
    import brotli

    unpacker = brotli.Decompressor()
    try:
        for start, end in _slices(len(body)):
            piece = unpacker.process(body[start:end], output_buffer_limit=_PIECE_BYTES)
            while piece:
                yield piece
                if unpacker.is_finished() or unpacker.can_accept_more_data():
                    break
                piece = unpacker.process(b"", output_buffer_limit=_PIECE_BYTES)
            if unpacker.is_finished():
                if end < len(body):
                    raise DecodingError("brotli: excessive input", is_known=True)
                return
    except brotli.error as error:
        raise DecodingError(str(error), is_known=True) from None
    raise _broken_off()


def _slices(size: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the slices of `size` bytes for a decoder."""
    last = max(size - _LAST_BYTES, 0)
    for start in range(0, last, _SLICE_BYTES):
        yield start, min(start + _SLICE_BYTES, last)
    for start in range(last, size):
        yield start, start + 1


_ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": _gzip,
    "deflate": zlib.compress,
    "zstd": _zstd,
    "br": _br,
}
_DECODERS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "gzip": _gunzip,
    "deflate": _undeflate,
    "zstd": _unzstd,
    "br": _unbr,
}
