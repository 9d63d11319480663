"""permessage-deflate, RFC 7692: messages compressed one by one or with a kept window."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final

from jsrunner.transport.errors import DialError, MessageTooBig, ProtocolViolation
from jsrunner.transport.headers import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: k6's offer: each message on its own, in both directions.
OFFER: Final = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
#: The offer of strict mode leaves all parameters to the server (RFC 7692, section 7.1).
STRICT_OFFER: Final = "permessage-deflate; client_max_window_bits"

_NAME: Final = re.compile(rf"[ \t]*({TOKEN})[ \t]*")
#: A quoted value may lack its end.
_VALUE: Final = rf'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|(?:{TOKEN})?'
_PARAMETER: Final = re.compile(rf";[ \t]*({TOKEN})[ \t]*(?:=[ \t]*({_VALUE})[ \t]*)?")
_TAKEOVERS: Final = ("server_no_context_takeover", "client_no_context_takeover")
_WINDOW_BITS: Final = ("server_max_window_bits", "client_max_window_bits")
#: A window of 2^8 to 2^15 bytes, without leading zeros (RFC 7692, section 7.1.2.1).
_BITS: Final = re.compile(r'"?([89]|1[0-5])"?\Z')
_LEAST_BITS: Final = 9

_TAIL: Final = b"\x00\x00\xff\xff"
_INVALID: Final = "websocket: invalid compression negotiation"


class Deflate:
    """The compression of both directions of one connection. Window bits are 8 to 15.

    zlib has no window of 2^8 bytes: it reads such data with a larger one, and writes it without
    references to earlier bytes.
    """

    def __init__(
        self,
        *,
        takeover_out: bool = False,
        takeover_in: bool = False,
        bits_out: int = 15,
        bits_in: int = 15,
    ) -> None:
        self._takeover_out, self._takeover_in = takeover_out, takeover_in
        self._bits_out, self._bits_in = bits_out, bits_in
        self._packer = self._new_packer()
        self._unpacker = self._new_unpacker()

    def _new_packer(self) -> zlib._Compress:
        if self._bits_out < _LEAST_BITS:
            return zlib.compressobj(1, zlib.DEFLATED, -_LEAST_BITS, strategy=zlib.Z_HUFFMAN_ONLY)
        return zlib.compressobj(1, zlib.DEFLATED, -self._bits_out)

    def _new_unpacker(self) -> zlib._Decompress:
        return zlib.decompressobj(-max(self._bits_in, _LEAST_BITS))

    def compress(self, payload: bytes | bytearray | memoryview) -> bytes:
        """Return a message's payload (7.2.1): deflated, without the constant tail."""
        if not self._takeover_out:
            self._packer = self._new_packer()
        data = self._packer.compress(payload) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        return data[:-4] or b"\x00"

    def decompress(self, payload: bytes | bytearray, limit: int) -> bytes:
        """Return the message of a payload (7.2.2), at most `limit` bytes.

        Raises:
            ProtocolViolation: The payload is no deflate.
            MessageTooBig: The message has more than `limit` bytes.
        """
        if not self._takeover_in:
            self._unpacker = self._new_unpacker()
        try:
            data = self._unpacker.decompress(payload + _TAIL, limit + 1)
        except zlib.error as error:
            raise ProtocolViolation(str(error)) from None
        if len(data) > limit:
            raise MessageTooBig
        if self._unpacker.eof:  # a final block, as some peers end each message
            self._unpacker = self._new_unpacker()
        return data


def negotiate(answers: Sequence[str]) -> Deflate | None:
    """Return the compression of a connection; None if it has none. Raises DialError.

    Args:
        answers: the server's Sec-WebSocket-Extensions; as in k6 they count even if nothing was offered.
    """
    for answer in answers:
        for name, parameters in _extensions(answer):
            if name != "permessage-deflate":
                continue
            if all(name in dict(parameters) for name in _TAKEOVERS):
                return Deflate()
            raise DialError(_INVALID)
    return None


def negotiate_strictly(answers: Sequence[str], *, is_offered: bool) -> Deflate | None:
    """Return the compression of a connection by RFC 7692; None if it has none.

    Args:
        answers: the server's Sec-WebSocket-Extensions.
        is_offered: whether the client has sent STRICT_OFFER.

    Raises:
        DialError: The server has answered what was not offered, or with parameters that are unknown,
            repeated or have other values than they may (RFC 6455, section 4.1; RFC 7692, section 7.1).
    """
    deflate = None
    for answer in answers:
        for name, parameters in _extensions(answer):
            if name != "permessage-deflate" or not is_offered or deflate is not None:
                raise DialError(_INVALID)
            deflate = _deflate_by(parameters)
    return deflate


def _deflate_by(parameters: Sequence[tuple[str, str | None]]) -> Deflate:
    values = dict(parameters)
    bits = dict.fromkeys(_WINDOW_BITS, 15)
    for name, value in values.items():
        match = _BITS.match(value or "")
        if name in _WINDOW_BITS and match:
            bits[name] = int(match[1])
        elif name not in _TAKEOVERS or value is not None:
            raise DialError(_INVALID)
    if len(values) < len(parameters):
        raise DialError(_INVALID)
    return Deflate(
        takeover_out="client_no_context_takeover" not in values,
        takeover_in="server_no_context_takeover" not in values,
        bits_out=bits["client_max_window_bits"],
        bits_in=bits["server_max_window_bits"],
    )


def _extensions(answer: str) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Yield the extensions' names and parameters; stop at the first malformed extension."""
    match = _NAME.match(answer)
    while match:
        name, end = match[1], match.end()
        parameters: list[tuple[str, str | None]] = []
        while match := _PARAMETER.match(answer, end):
            parameters.append((match[1], match[2]))
            end = match.end()
        if answer[end : end + 1] not in ("", ","):
            break
        yield name, parameters
        match = _NAME.match(answer, end + 1)
