"""Connections of the bundled server's gRPC service: HTTP/2 by libnghttp2, on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ngh2 import (
    Configuration,
    Connection,
    DataReceived,
    NGH2Error,
    RequestReceived,
    Role,
    Setting,
    StreamClosed,
)

from jsrunner.server import grpc_service
from jsrunner.server.grpc_service import INVALID_ARGUMENT, UNIMPLEMENTED

if TYPE_CHECKING:
    from jsrunner.proto.schema import Method
    from jsrunner.server.grpc_service import Handler

_STREAM_WINDOW: Final = 4 << 20
_CONNECTION_WINDOW: Final = 64 << 20
_MOST_STREAMS: Final = 1000
_PREFIX_BYTES: Final = 5
#: Bytes of one message.
_MOST_BYTES: Final = 64 << 20
_RESOURCE_EXHAUSTED: Final = 8
_HEAD: Final = ((b":status", b"200"), (b"content-type", b"application/grpc"))


class Connecting(asyncio.Protocol):
    """A client's connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._calls: dict[int, _Call] = {}
        self._is_flushing = False
        self.protocol = Connection(Role.SERVER, Configuration())
        settings = {
            Setting.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
            Setting.MAX_CONCURRENT_STREAMS: _MOST_STREAMS,
        }
        self.protocol.initiate_connection(settings)
        self.protocol.set_local_window_size(_CONNECTION_WINDOW)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the server's settings."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Handle bytes of the client."""
        try:
            self.protocol.receive_data(data)
            for event in self.protocol.events():
                self._take(event)
        except NGH2Error:  # no HTTP/2, or a client that breaks its rules
            self._flush()
            assert self._transport is not None
            self._transport.close()
        else:
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """End all calls."""
        calls, self._calls = list(self._calls.values()), {}
        for call in calls:
            call.gone()

    def flush_soon(self) -> None:
        """Send the frames of calls after the callbacks that are due now."""
        if not self._is_flushing:
            self._is_flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        if self._transport is None or self._transport.is_closing():
            return
        data = self.protocol.data_to_send()
        if data:
            self._transport.write(data)
        for event in self.protocol.events():
            self._take(event)

    def _take(self, event: object) -> None:
        if isinstance(event, RequestReceived):
            path = next((value for name, value in event.headers if name == b":path"), b"")
            call = self._calls[event.stream_id] = _Call(self, event.stream_id)
            call.open(path.decode("utf-8", "replace"))
            if event.end_stream:
                call.end()
        elif isinstance(event, DataReceived):
            call_of = self._calls.get(event.stream_id)
            if call_of is not None:
                call_of.take(event.data)
                if event.end_stream:
                    call_of.end()
        elif isinstance(event, StreamClosed):
            closed = self._calls.pop(event.stream_id, None)
            if closed is not None:
                closed.gone()


class _Call:
    """One call (`grpc_service.ServerCall`)."""

    def __init__(self, connection: Connecting, number: int) -> None:
        self._connection = connection
        self._number = number
        self._method: Method | None = None
        self._handler: Handler | None = None
        self._buffer = bytearray()
        self._has_head = self._is_over = False

    def open(self, path: str) -> None:
        """Find the method."""
        opened = grpc_service.services().open(path, self)
        if opened is None:
            self.finish(UNIMPLEMENTED, f"unknown method {path}")
        else:
            self._method, self._handler = opened

    # -- from the client ---------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        """Take bytes of messages."""
        self._buffer += data
        while not self._is_over and len(self._buffer) >= _PREFIX_BYTES:
            size = int.from_bytes(self._buffer[1:_PREFIX_BYTES], "big")
            if size > _MOST_BYTES or self._buffer[0]:
                reason = "compressed" if self._buffer[0] else f"larger than {_MOST_BYTES} bytes"
                self.finish(_RESOURCE_EXHAUSTED, f"the message is {reason}")
                return
            end = _PREFIX_BYTES + size
            if len(self._buffer) < end:
                return
            message = bytes(self._buffer[_PREFIX_BYTES:end])
            del self._buffer[:end]
            self._handle(message)

    def _handle(self, data: bytes) -> None:
        assert self._method is not None
        assert self._handler is not None
        try:
            self._handler.take(grpc_service.decode(self._method, data))
        except ValueError as error:
            self.finish(INVALID_ARGUMENT, str(error))
        except Exception:
            traceback.print_exc()
            self.finish(13, "internal error")

    def end(self) -> None:
        """Handle the end of the client's messages."""
        if self._handler is not None and not self._is_over:
            self._handler.end()

    def gone(self) -> None:
        """Handle the end of the stream."""
        self._is_over = True
        if self._handler is not None:
            self._handler.gone()

    # -- to the client -----------------------------------------------------------------------------

    def send(self, message: Any) -> None:
        """Send a message."""
        if self._is_over:
            return
        data = message.SerializeToString()
        with contextlib.suppress(NGH2Error):  # the client has just reset the stream
            protocol = self._connection.protocol
            if not self._has_head:
                self._has_head = True
                protocol.send_response(self._number, _HEAD)
            protocol.send_data(self._number, b"\0" + len(data).to_bytes(4, "big") + data)
        self._connection.flush_soon()

    def finish(self, code: int = 0, text: str = "") -> None:
        """End the call with a status; the first time counts."""
        if self._is_over:
            return
        self._is_over = True
        trailers = [(b"grpc-status", b"%d" % code)]
        if text:
            trailers.append((b"grpc-message", quote(text, safe=" !#$&'()*+,/:;=?@[]~").encode()))
        with contextlib.suppress(NGH2Error):
            protocol = self._connection.protocol
            if self._has_head:
                protocol.send_trailers(self._number, trailers)
            else:
                protocol.send_response(self._number, [*_HEAD, *trailers], end_stream=True)
        self._connection.flush_soon()
