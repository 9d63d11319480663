"""permessage-deflate, RFC 7692: messages compressed one by one or with a kept window."""

from __future__ import annotations

import zlib
from typing import Final

from jsrunner.transport.errors import DialError, MessageTooBig, ProtocolViolation

#: What k6 offers: each message on its own, in both directions.
OFFER: Final = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

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


def negotiate(answer: str) -> Deflate | None:
    """What the server's Sec-WebSocket-Extensions makes of our offer. Raises DialError."""
    for extension in answer.split(","):
        name, *parameters = (part.strip() for part in extension.split(";"))
        if name != "permessage-deflate":
            continue
        if {"server_no_context_takeover", "client_no_context_takeover"} <= set(parameters):
            return Deflate()
        raise DialError(_INVALID)
    return None
