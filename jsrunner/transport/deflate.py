"""permessage-deflate, RFC 7692: messages compressed one by one or with a kept window."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final

from jsrunner.transport.errors import DialError, MessageTooBig, ProtocolViolation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: What k6 offers: each message on its own, in both directions.
OFFER: Final = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_NAME: Final = re.compile(rf"[ \t]*({_TOKEN})[ \t]*")
#: A quoted value may lack its end.
_VALUE: Final = rf'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|(?:{_TOKEN})?'
_PARAMETER: Final = re.compile(rf";[ \t]*({_TOKEN})[ \t]*(?:=[ \t]*(?:{_VALUE})[ \t]*)?")

_TAIL: Final = b"\x00\x00\xff\xff"
_INVALID: Final = "websocket: invalid compression negotiation"


class Deflate:
    """Both directions of a connection. Window bits are 9 to 15 (zlib cannot do 8)."""

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
        return zlib.compressobj(1, zlib.DEFLATED, -self._bits_out)

    def _new_unpacker(self) -> zlib._Decompress:
        return zlib.decompressobj(-self._bits_in)

    def compress(self, payload: bytes | bytearray | memoryview) -> bytes:
        """A message's payload (7.2.1): deflated, without the tail that is always the same."""
        if not self._takeover_out:
            self._packer = self._new_packer()
        data = self._packer.compress(payload) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        return data[:-4] or b"\x00"

    def decompress(self, payload: bytes | bytearray, limit: int) -> bytes:
        """The message of a payload (7.2.2), at most `limit` bytes.

        Raises ProtocolViolation for what is no deflate, MessageTooBig.
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
            if {"server_no_context_takeover", "client_no_context_takeover"} <= parameters:
                return Deflate()
            raise DialError(_INVALID)
    return None


def _extensions(answer: str) -> Iterator[tuple[str, set[str]]]:
    """The extensions' names and those of their parameters, up to what is malformed."""
    match = _NAME.match(answer)
    while match:
        name, parameters, end = match[1], set(), match.end()
        while match := _PARAMETER.match(answer, end):
            parameters.add(match[1])
            end = match.end()
        if answer[end : end + 1] not in ("", ","):
            break
        yield name, parameters
        match = _NAME.match(answer, end + 1)
