"""One gRPC call on an HTTP/2 stream: messages with their length before them, headers and trailers."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Protocol

from jsrunner.transport import rpc_status
from jsrunner.transport.rpc_status import (
    INTERNAL,
    NO_FIELDS,
    OK,
    RESOURCE_EXHAUSTED,
    ResponseFields,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gevent._types import _Loop, _TimerWatcher

    from jsrunner.transport.stream import Stream

_PREFIX_BYTES: Final = 5
#: Bytes of a response that is no gRPC, as its error text shows them.
_FOREIGN_BYTES: Final = 1024
#: Bytes of requests that are kept for a second attempt.
_REPLAY_BYTES: Final = 256 << 10
_GZIP: Final = 31
_TWO_ANSWERS: Final = (
    "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message"
)
_NO_ANSWER: Final = "cardinality violation: received no response message from non-server-streaming RPC"


def _ignore(event: object) -> None:
    pass


class Carrier(Protocol):
    """The connection that a call is on (`rpc_wire.Wire`)."""

    @property
    def stream(self) -> Stream:
        """The connection's bytes."""
        ...

    def send(self, call: Call, data: bytes, *, end: bool) -> None:
        """Send bytes of a call."""

    def abandon(self, call: Call) -> None:
        """Drop a call that has not ended by itself."""


def frame(message: bytes) -> bytes:
    """Return a message with its prefix: not compressed, and its length."""
    return b"\0" + len(message).to_bytes(4, "big") + message


class Call:
    """A call, from its creation to its status.

    Its creator sets `on_message` and `on_end`, which are called in the hub and must not wait. If the
    method's server does not stream, the message comes with the end.
    """

    # What most calls leave as it is, in the class: a unary call makes one of these.

    #: For http-debug: called with the peer when it has begun, with the fields of headers and of
    #: trailers, and with the bytes of messages (whether they were sent).
    on_begin: Callable[[str], None] | None = None
    on_fields: Callable[[str, ResponseFields], None] | None = None
    on_bytes: Callable[[bool, bytes], None] | None = None
    headers = NO_FIELDS
    trailers = NO_FIELDS
    #: The decoded message of a call whose server does not stream.
    message: object = None
    status: Status | None = None
    #: True if a sample is taken of the call: not if its own deadline or its caller has ended it.
    is_measured = True
    #: Deadline (time.monotonic).
    deadline: float | None = None
    wire: Carrier | None = None
    number = 0
    is_half_closed = False
    #: True if the call may be repeated on another connection.
    may_retry = True
    _sent_bytes = 0
    _has_message = False
    _foreign: Status | None = None
    _timer: _TimerWatcher | None = None

    def __init__(
        self,
        path: str,
        fields: Sequence[tuple[bytes, bytes]],
        *,
        decode: Callable[[bytes], object],
        streams: bool,
        max_receive: int,
    ) -> None:
        """Make a call.

        Args:
            path: The method's path: `/package.Service/Method`.
            fields: The metadata in the form that is sent.
            decode: Decodes a message, or raises ValueError with grpc-go's text.
            streams: True if the server may send several messages.
            max_receive: Maximum bytes of a message.
        """
        self.path = path
        self.fields = fields
        self._decode = decode
        self._streams = streams
        self._max_receive = max_receive
        self.on_message: Callable[[object], None] = _ignore
        self.on_end: Callable[[Status], None] = _ignore
        #: What is to be sent, or was and may have to be sent again.
        self.sent: list[bytes] | None = []
        self._buffer = bytearray()

    # -- sending -----------------------------------------------------------------------------------

    def send(self, message: bytes, *, end: bool) -> None:
        """Send a message; `end` is true for the last message."""
        if self.status is not None:
            return
        data = frame(message)
        self.is_half_closed = self.is_half_closed or end
        if self.sent is not None:
            self._sent_bytes += len(data)
            self.sent.append(data)
        if self.wire is not None:
            self._forget_much()
            if self.on_bytes is not None:
                self.on_bytes(True, message)
            self.wire.send(self, data, end=end)

    def take_waiting(self) -> list[bytes]:
        """Return the bytes that must be sent on a new connection."""
        waiting = self.sent or []
        if self.on_bytes is not None:
            for data in waiting:
                self.on_bytes(True, data[_PREFIX_BYTES:])
        self._forget_much()
        return waiting

    def _forget_much(self) -> None:
        if self._sent_bytes > _REPLAY_BYTES:
            self.sent = None

    def close_send(self) -> None:
        """Close the sending side: no message follows."""
        if not self.is_half_closed and self.status is None:
            self.is_half_closed = True
            if self.wire is not None:
                self.wire.send(self, b"", end=True)

    # -- the end -----------------------------------------------------------------------------------

    def expire_in(self, seconds: float, loop: _Loop) -> None:
        """Let the call end with DeadlineExceeded after so many seconds."""
        timer = self._timer = loop.timer(max(seconds, 0))
        timer.start(self._expire, update=True)

    def _expire(self) -> None:
        self.is_measured = False
        self.cancel(rpc_status.EXPIRED)

    def cancel(self, status: Status) -> None:
        """End the call from this side."""
        if self.status is None:
            if self.wire is not None:
                self.wire.abandon(self)
            self.finish(status)

    def finish(self, status: Status) -> None:
        """Set the call's status; only the first status counts."""
        if self.status is not None:
            return
        self.status = status
        self.sent = None
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
        self.on_end(status)

    # -- receiving ---------------------------------------------------------------------------------

    def take_head(self, fields: ResponseFields, *, end: bool) -> None:
        """Process the response's headers; with `end` they are trailers at once."""
        self.sent = None
        foreign = fields.foreign
        if foreign is not None:
            if end:
                self.finish(foreign)
            else:
                self._foreign = foreign
            return
        if end:
            self.take_trailers(fields)
            return
        self.headers = fields
        if self.on_fields is not None:
            self.on_fields("headers", fields)

    def take_trailers(self, fields: ResponseFields) -> None:
        """Process the trailers: the call is over."""
        if self._foreign is not None:
            self._finish_foreign()
            return
        if not fields.is_malformed:
            self.trailers = fields
        if self.on_fields is not None:
            self.on_fields("trailers", fields)
        status = fields.status
        if status.code == OK:
            if self._buffer:
                status = Status(INTERNAL, "unexpected EOF")
            elif not self._streams and not self._has_message:
                status = Status(INTERNAL, _NO_ANSWER)
        self.finish(status)

    def take_end(self) -> None:
        """End a call whose stream has ended without trailers."""
        if self._foreign is not None:
            self._finish_foreign()
        else:
            self.finish(Status(INTERNAL, "server closed the stream without sending trailers"))

    def _finish_foreign(self) -> None:
        assert self._foreign is not None
        data = ascii(self._buffer[:_FOREIGN_BYTES].decode("latin-1"))[1:-1].replace('"', '\\"')
        self.finish(Status(self._foreign.code, f'{self._foreign.message}\ndata: "{data}"'))

    def take_data(self, data: bytes) -> None:
        """Process bytes of messages."""
        if self._foreign is not None:
            self._buffer += data[: _FOREIGN_BYTES - len(self._buffer)]
            if len(self._buffer) >= _FOREIGN_BYTES and self.wire is not None:
                self.wire.abandon(self)
                self._finish_foreign()
            return
        # Mostly a message comes in one piece.
        if not self._buffer and len(data) >= _PREFIX_BYTES:
            end = _PREFIX_BYTES + int.from_bytes(data[1:_PREFIX_BYTES], "big")
            if end == len(data) and end - _PREFIX_BYTES <= self._max_receive:
                self._take_message(data[0], data[_PREFIX_BYTES:])
                return
        self._buffer += data
        position = 0
        while self.status is None and len(self._buffer) - position >= _PREFIX_BYTES:
            start = position + _PREFIX_BYTES
            size = int.from_bytes(self._buffer[position + 1 : start], "big")
            if size > self._max_receive:
                text = f"grpc: received message larger than max ({size} vs. {self._max_receive})"
                self.cancel(Status(RESOURCE_EXHAUSTED, text))
                return
            if len(self._buffer) - start < size:
                break
            flag = self._buffer[position]
            position = start + size
            self._take_message(flag, bytes(memoryview(self._buffer)[start:position]))
        if position:
            del self._buffer[:position]

    def _take_message(self, flag: int, data: bytes) -> None:
        try:
            content = self._decompressed(flag, data)
            message = self._decode(content)
        except _Broken as error:
            self.cancel(error.status)
            return
        except ValueError as error:
            self.cancel(Status(INTERNAL, str(error)))
            return
        if self.on_bytes is not None:
            self.on_bytes(False, content)
        if self._streams:
            self.on_message(message)
        elif self._has_message:
            self.cancel(Status(INTERNAL, _TWO_ANSWERS))
        else:
            self._has_message, self.message = True, message

    def _decompressed(self, flag: int, data: bytes) -> bytes:
        """Return a message as it was before compression. Raises _Broken."""
        if flag == 0:
            return data
        if flag != 1:
            raise _Broken(INTERNAL, f"grpc: received unexpected payload format {flag}")
        encoding = self.headers.encoding
        if encoding in ("", "identity"):
            raise _Broken(INTERNAL, "grpc: compressed flag set with identity or empty encoding")
        if encoding != "gzip":
            text = f'grpc: Decompressor is not installed for grpc-encoding "{encoding}"'
            raise _Broken(INTERNAL, text)
        unpacker = zlib.decompressobj(_GZIP)
        try:
            message = unpacker.decompress(data, self._max_receive + 1)
        except zlib.error:
            text = "grpc: failed to decompress the message: unexpected EOF"
            raise _Broken(INTERNAL, text) from None
        if len(message) > self._max_receive:
            text = f"grpc: received message after decompression larger than max {self._max_receive}"
            raise _Broken(RESOURCE_EXHAUSTED, text)
        if not unpacker.eof:
            text = "grpc: failed to decompress the message: unexpected EOF"
            raise _Broken(INTERNAL, text)
        return message


class _Broken(Exception):
    """A message cannot be decoded."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.status = Status(code, text)
