"""An HTTP/2 connection that carries gRPC calls (RFC 9113), on libnghttp2 (package ngh2).

docs/guides/grpc.md has the reason: with 50 greenlets a call takes 47 us CPU, with h2 134, grpcio 142.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ngh2 import (
    Configuration,
    Connection,
    ConnectionClosed,
    DataReceived,
    GoAwayReceived,
    NGH2Error,
    ResponseReceived,
    Role,
    Setting,
    SettingsReceived,
    StreamClosed,
    StreamReset,
    TrailersReceived,
)

from jsrunner.text import decode_bytewise
from jsrunner.transport import failures, rpc_status
from jsrunner.transport.errors import DialError
from jsrunner.transport.head import MAX_HTTP2_FIELDS
from jsrunner.transport.rpc_status import INTERNAL, UNAVAILABLE, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.transport.rpc_call import Call
    from jsrunner.transport.stream import Stream

#: Bytes that the server may send ahead, on a stream and on the connection.
_STREAM_WINDOW: Final = 4 << 20
_CONNECTION_WINDOW: Final = 64 << 20
_MOST_FIELD_BYTES: Final = 16 << 20
_NO_ERROR, _REFUSED, _CANCEL = 0, 7, 8
_DRAINING: Final = Status(
    UNAVAILABLE, "the stream is rejected because server is draining the connection"
)


class Wire:
    """A connection. Used by one VU; what comes is read in the hub.

    Args:
        retry: called with a call that the server has not seen and that may be made again.
    """

    def __init__(self, stream: Stream, retry: Callable[[Call], None]) -> None:
        self.stream = stream
        self._retry = retry
        self._calls: dict[int, Call] = {}
        self._goaway: GoAwayReceived | None = None
        #: True if the server's preface has arrived.
        self.is_ready = False
        #: Called when the preface has arrived, or the connection has ended before.
        self.on_ready: Callable[[], None] = lambda: None
        #: The reason for the connection's end.
        self.end_text = ""
        self._protocol = Connection(
            Role.CLIENT,
            Configuration(
                max_inbound_header_list_size=_MOST_FIELD_BYTES,
                max_inbound_header_count=MAX_HTTP2_FIELDS,
                max_send_header_block_length=_MOST_FIELD_BYTES,
            ),
        )
        settings = {
            Setting.ENABLE_PUSH: 0,
            Setting.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
            Setting.MAX_HEADER_LIST_SIZE: _MOST_FIELD_BYTES,
        }
        self._protocol.initiate_connection(settings)
        self._protocol.set_local_window_size(_CONNECTION_WINDOW)
        stream.on_readable = self._on_readable
        self._flush()

    @property
    def is_usable(self) -> bool:
        """True if calls can be made on the connection."""
        is_open = not self.stream.is_closed and self._goaway is None
        return is_open and self._protocol.can_send_request

    # -- calls -------------------------------------------------------------------------------------

    def start(self, call: Call, fields: Sequence[tuple[bytes, bytes]]) -> None:
        """Begin a call with all its request fields, and send what it has to send already."""
        try:
            number = self._protocol.send_request(fields)
        except NGH2Error as error:
            call.finish(Status(UNAVAILABLE, str(error)))
            return
        call.wire, call.number = self, number
        self._calls[number] = call
        if call.on_begin is not None:
            call.on_begin(self.stream.ends.partition("->")[2])
        for data in call.take_waiting():
            self._protocol.send_data(number, data)
        if call.is_half_closed:
            self._protocol.end_stream(number)
        self._flush_safely()

    def send(self, call: Call, data: bytes, *, end: bool) -> None:
        """Send a call's bytes; bytes beyond the flow-control windows go out later."""
        try:
            if data:
                self._protocol.send_data(call.number, data, end_stream=end)
            else:
                self._protocol.end_stream(call.number)
        except NGH2Error:
            return  # the stream has just ended: its status follows
        self._flush_safely()

    def abandon(self, call: Call) -> None:
        """Let go of a call that has not ended by itself."""
        self._calls.pop(call.number, None)
        self._reset(call.number, _CANCEL)
        self._close_if_drained()

    def _reset(self, number: int, code: int) -> None:
        if not self.stream.is_closed:
            try:
                self._protocol.reset_stream(number, code)
                self._flush_safely()
            except NGH2Error:
                pass  # it is closed already

    def close(self, status: Status) -> None:
        """Close the connection; calls under way end with the status."""
        if not self.stream.is_closed:
            try:
                self._protocol.terminate_connection(_NO_ERROR)
                self.stream.write(self._protocol.data_to_send())
            except (NGH2Error, OSError):
                pass
        self._end(status)

    # -- bytes -------------------------------------------------------------------------------------

    def _flush_safely(self) -> None:
        """Send the pending bytes; a failure ends the connection."""
        try:
            self._flush()
        except OSError as error:
            self._end_by(failures.of_stream_error(error, self.stream).message)
        except NGH2Error as error:
            self._end_by(str(error))

    def _flush(self) -> None:
        """Send the protocol's pending bytes, and process its events."""
        protocol = self._protocol
        while not self.stream.is_closed:
            data = protocol.data_to_send()
            if data:
                self.stream.write(data)
            events = protocol.events()
            if not events:
                break
            for event in events:
                self._take(event)

    def _on_readable(self) -> None:
        """Process incoming bytes. Runs in the hub."""
        try:
            data = self.stream.read_now()
            if data is None:
                return
            if not data:
                self._end_by("EOF")
                return
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                self._take(event)
        except OSError as error:
            self._end_by(failures.of_stream_error(error, self.stream).message)
        except DialError as error:
            self._end_by(str(error))
        except NGH2Error as error:
            self._flush_safely()
            self._end_by(f"http2: {error}")
        else:
            if self._protocol.want_write:
                self._flush_safely()
            if not self._calls:
                self.stream.count_tls()

    def _end_by(self, reason: str) -> None:
        """End the calls of a connection that has ended, with the reason in Go's words."""
        self.end_text = reason
        text = f"error reading from server: {reason}"
        if self._goaway is not None:
            code = failures.code_name(self._goaway.error_code)
            debug = decode_bytewise(self._goaway.debug_data)
            prior = f"code: {code}" + (f', debug data: "{debug}"' if debug else "")
            text = (
                f'closing transport due to: connection error: desc = "{text}", received prior goaway: '
                f"{prior}"
            )
        self._end(Status(UNAVAILABLE, text))

    def _end(self, status: Status) -> None:
        calls, self._calls = list(self._calls.values()), {}
        self.stream.close()
        for call in calls:
            call.finish(status)
        self.on_ready()

    def _close_if_drained(self) -> None:
        if self._goaway is not None and not self._calls:
            self.stream.close()

    # -- events ------------------------------------------------------------------------------------

    def _take(self, event: object) -> None:
        if isinstance(event, DataReceived):
            call = self._calls.get(event.stream_id)
            if call is not None:
                call.take_data(event.data)
        elif isinstance(event, (ResponseReceived, TrailersReceived)):
            call = self._calls.get(event.stream_id)
            if call is not None:
                self._take_fields(call, event)
        elif isinstance(event, StreamReset):
            self._take_reset(event.stream_id, event.error_code)
        elif isinstance(event, StreamClosed):
            self._take_closed(event)
        elif isinstance(event, SettingsReceived):
            if not self.is_ready:
                self.is_ready = True
                self.on_ready()
        elif isinstance(event, GoAwayReceived):
            self._take_goaway(event)
        elif isinstance(event, ConnectionClosed) and event.error_code:
            self._end_by(f"connection error: {failures.code_name(event.error_code)}")

    def _take_fields(self, call: Call, event: ResponseReceived | TrailersReceived) -> None:
        fields = rpc_status.fields_of(event.headers)
        if isinstance(event, ResponseReceived):
            call.take_head(fields, end=event.end_stream)
        else:
            call.take_trailers(fields)
        if call.status is not None and self._calls.pop(call.number, None) is not None:
            if not call.is_half_closed:
                self._reset(call.number, _NO_ERROR)
            self._close_if_drained()

    def _take_reset(self, number: int, code: int) -> None:
        call = self._calls.pop(number, None)
        if call is not None:
            if code == _REFUSED and self._try_again(call):
                return
            call.finish(rpc_status.of_reset(code))
            self._close_if_drained()

    def _take_closed(self, event: StreamClosed) -> None:
        call = self._calls.pop(event.stream_id, None)
        if call is None:
            return
        if event.local_error is not None:
            call.finish(Status(INTERNAL, f"http2: {event.local_error}"))
        elif event.error_code:
            goaway = self._goaway
            if goaway is not None and event.stream_id > goaway.last_stream_id:
                if not self._try_again(call):
                    call.finish(_DRAINING)
            else:
                call.finish(rpc_status.of_reset(event.error_code))
        else:
            call.take_end()
        self._close_if_drained()

    def _take_goaway(self, event: GoAwayReceived) -> None:
        """Process GOAWAY: the server accepts no more calls, and names the last accepted stream."""
        self._goaway = event
        for number in [stream for stream in self._calls if stream > event.last_stream_id]:
            call = self._calls.pop(number)
            if not self._try_again(call):
                call.finish(_DRAINING)
        self._close_if_drained()

    def _try_again(self, call: Call) -> bool:
        """Repeat a call that the server has not seen on another connection, once."""
        if not call.may_retry or call.sent is None:
            return False
        call.may_retry = False
        call.wire = None
        self._retry(call)
        return True
