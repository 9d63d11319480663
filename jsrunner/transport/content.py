"""Content codings (RFC 9110, section 8.4): gzip, deflate, br and zstd, for requests and responses."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: What there is, in k6's order; `deflate` is the zlib format.
CODINGS: Final = ("gzip", "deflate", "zstd", "br")


class DecodingError(Exception):
    """A body is not what its Content-Encoding says; the text is Go's.

    `is_known`: k6 counts it as an error of decompression (not so a body that breaks off).
    """

    def __init__(self, text: str, *, is_known: bool) -> None:
        super().__init__(text)
        self.is_known = is_known


def encode(body: bytes, codings: Sequence[str]) -> bytes:
    """Apply codings, the first one first."""
    for coding in codings:
        body = _ENCODERS[coding](body)
    return body


def decode(body: bytes, codings: Sequence[str]) -> bytes:
    """Undo codings, the last one first; unknown ones are left alone. Raises DecodingError."""
    for coding in reversed(codings):
        decoder = _DECODERS.get(coding)
        if decoder is None:
            continue
        if not body:
            raise DecodingError("EOF", is_known=True)
        body = decoder(body)
    return body


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


def _inflate(body: bytes, name: str, bits: int) -> bytes:
    parts = []
    while body:  # a gzip body may have several members (RFC 1952, section 2.2)
        unpacker = zlib.decompressobj(bits)
        try:
            parts.append(unpacker.decompress(body))
        except zlib.error as error:
            raise _wrong(name, str(error)) from None
        if not unpacker.eof:
            raise DecodingError("unexpected EOF", is_known=False)
        body = unpacker.unused_data if name == "gzip" else b""
    return b"".join(parts)


def _wrong(name: str, text: str) -> DecodingError:
    if "header check" in text or "compression method" in text or "window size" in text:
        return DecodingError(f"{name}: invalid header", is_known=True)
    if "data check" in text or "length check" in text:
        return DecodingError(f"{name}: invalid checksum", is_known=True)
    return DecodingError("flate: corrupt input", is_known=False)


def _ungzip(body: bytes) -> bytes:
    return _inflate(body, "gzip", 31)


def _undeflate(body: bytes) -> bytes:
    return _inflate(body, "zlib", 15)


def _unzstd(body: bytes) -> bytes:
    import zstandard

    parts = []
    while body:  # there may be several frames (RFC 8878, section 3)
        unpacker = zstandard.ZstdDecompressor().decompressobj()
        try:
            parts.append(unpacker.decompress(body))
        except zstandard.ZstdError as error:
            if "Unknown frame descriptor" in str(error):
                raise DecodingError("invalid input: magic number mismatch", is_known=True) from None
            raise DecodingError(f"zstd: {error}", is_known=True) from None
        if not unpacker.eof:
            raise DecodingError("unexpected EOF", is_known=False)
        body = unpacker.unused_data
    return b"".join(parts)


def _unbr(body: bytes) -> bytes:
    import brotli

    unpacker = brotli.Decompressor()
    try:
        data: bytes = unpacker.process(body)
    except brotli.error as error:
        raise DecodingError(str(error), is_known=True) from None
    if not unpacker.is_finished():
        raise DecodingError("unexpected EOF", is_known=False)
    return data


_ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": _gzip,
    "deflate": zlib.compress,
    "zstd": _zstd,
    "br": _br,
}
_DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": _ungzip,
    "deflate": _undeflate,
    "zstd": _unzstd,
    "br": _unbr,
}
