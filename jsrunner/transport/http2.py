"""HTTP/2 on one connection (RFC 9113), which all requests of a VU to a host share.

The protocol is libnghttp2's (package ngh2): 3 us CPU per exchange, where h2, which is Python, takes
65. This file moves bytes between it and the socket, and wakes the greenlets that wait for responses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gevent import get_hub, getcurrent
from ngh2 import (
    Configuration,
    Connection,
    ConnectionClosed,
    DataReceived,
    GoAwayReceived,
    InformationalResponseReceived,
    NGH2Error,
    ResponseReceived,
    Role,
    Setting,
    StreamClosed,
    StreamReset,
)

from jsrunner.text import decode_bytewise
from jsrunner.transport import failures
from jsrunner.transport.body import TooLarge
from jsrunner.transport.errors import DialError
from jsrunner.transport.exchange import ExchangeFailed, StreamRefused
from jsrunner.transport.fields import WITH_LENGTH
from jsrunner.transport.head import MAX_HEAD_BYTES, MAX_HTTP2_FIELDS, head_of_http2
from jsrunner.transport.stream import Expired, clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenlet import greenlet

    from jsrunner.transport.exchange import Exchange, HttpCall, Route
    from jsrunner.transport.stream import Stream

# The values of Go's client.
_STREAM_WINDOW: Final = 4 << 20
_CONNECTION_WINDOW: Final = 1 << 30

_CANCEL, _REFUSED, _PROTOCOL_ERROR = 8, 7, 1
#: Fields that belong to a connection (RFC 9113, section 8.2.2).
_NOT_SENT: Final = ("Connection", "Proxy-Connection", "Keep-Alive", "Upgrade")


class _Waiter:
    """An exchange under way: the greenlet that waits for it, and its outcome."""

    __slots__ = ("error", "exchange", "greenlet", "is_done")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.greenlet: greenlet | None = None
        self.is_done = False
        self.error: Exception | None = None

    def end(self, error: Exception | None = None) -> None:
        if not self.is_done:
            self.is_done, self.error = True, error

    def expire(self) -> None:
        self.end(Expired())
        self.wake()

    def wake(self) -> None:
        greenlet, self.greenlet = self.greenlet, None
        if greenlet is not None:
            greenlet.switch()


class Http2:
    """A connection that speaks HTTP/2. Many greenlets use it; the hub reads incoming bytes."""

    def __init__(self, stream: Stream, tls: tuple[str, str] | None) -> None:
        self.stream = stream
        #: `tls1.3` and Go's name of the cipher suite.
        self.tls = tls
        self._waiters: dict[int, _Waiter] = {}
        self._goaway: GoAwayReceived | None = None
        #: True if no further request may be made on it.
        self._is_abandoned = False
        configuration = Configuration(
            max_inbound_header_list_size=MAX_HEAD_BYTES, max_inbound_header_count=MAX_HTTP2_FIELDS
        )
        self._protocol = Connection(Role.CLIENT, configuration)
        self._protocol.initiate_connection(
            {
                Setting.ENABLE_PUSH: 0,
                Setting.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                Setting.MAX_HEADER_LIST_SIZE: MAX_HEAD_BYTES,
            }
        )
        self._protocol.set_local_window_size(_CONNECTION_WINDOW)
        stream.on_readable = self._on_readable

    @property
    def is_usable(self) -> bool:
        """True if requests can be made on the connection."""
        is_open = not self.stream.is_closed and not self._is_abandoned
        return is_open and self._protocol.can_send_request

    def perform(self, call: HttpCall, route: Route, seconds: float, exchange: Exchange) -> bool:
        """Send a request and receive its response into `exchange`.

        Args:
            call: The request.
            route: The form of requests to the host.
            seconds: Seconds until the exchange expires.
            exchange: The progress and outcome of the request.

        Returns:
            True: other exchanges may follow, and run at the same time.

        Raises:
            StreamRefused: the request can be made again on another connection.
            ExchangeFailed, TooLarge, Expired, OSError: `exchange` has the received part.
        """
        protocol = self._protocol
        fields = list(_request_fields(call, route))
        try:
            number = protocol.send_request(fields, end_stream=not call.body)
            if call.body:
                protocol.send_data(number, call.body, end_stream=True)
        except NGH2Error:
            raise StreamRefused(failures.generic("http2: client conn not usable")) from None
        waiter = self._waiters[number] = _Waiter(exchange)
        timer = get_hub().loop.timer(seconds)
        timer.start(waiter.expire, update=True)
        try:
            self._flush()
            if not waiter.is_done:
                waiter.greenlet = getcurrent()
                get_hub().switch()
        finally:
            timer.stop()
            timer.close()
            waiter.greenlet = None
            is_cut_short = not waiter.is_done or isinstance(waiter.error, (Expired, TooLarge))
            self._forget(number, cancel=is_cut_short)
            self.stream.count_tls()
        if waiter.error is not None:
            raise waiter.error
        return True

    def discard(self) -> None:
        """Do nothing: the other exchanges on the connection go on after a failed exchange."""

    def close(self) -> None:
        """Close the connection; exchanges under way end."""
        self._end(lambda number: ExchangeFailed(failures.generic("http2: client connection lost")))

    def _forget(self, number: int, *, cancel: bool) -> None:
        """Remove an exchange that is over, whatever its outcome."""
        self._waiters.pop(number, None)
        if cancel and not self.stream.is_closed:
            try:
                self._protocol.reset_stream(number, _CANCEL)
                self._flush()
            except (NGH2Error, OSError):
                self.stream.close()
        if (self._is_abandoned or self._goaway is not None) and not self._waiters:
            self.stream.close()

    # -- bytes ---------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Send the protocol's pending bytes, and process its events. Raises OSError."""
        while True:
            data = self._protocol.data_to_send()
            if data:
                self.stream.write(data)
            events = self._protocol.events()
            for event in events:
                self._take(event)
            if not data and not events:
                break
        for number, waiter in self._waiters.items():
            if not waiter.exchange.sent_at and not self._protocol.queued_body_size(number):
                waiter.exchange.sent_at = self.stream.sent_at or clock()

    def _on_readable(self) -> None:
        """Process incoming bytes, then wake the greenlets with complete responses. Runs in the hub."""
        try:
            data = self.stream.read_now()
            if data is None:
                return
            if data:
                self._protocol.receive_data(data)
                self._flush()
            else:
                self._end(self._lost)
        except OSError as error:
            failure = failures.of_stream_error(error, self.stream)
            self._end(lambda number: ExchangeFailed(failure))
        except DialError as error:
            alert = failures.of_dialing(error)
            self._end(lambda number: ExchangeFailed(alert))
        except NGH2Error as error:
            broken = failures.generic(f"http2: {error}")
            self._end(lambda number: ExchangeFailed(broken))
        self._wake_all()

    def _wake_all(self) -> None:
        for waiter in [waiter for waiter in self._waiters.values() if waiter.is_done]:
            waiter.wake()

    def _end(self, error_of: Callable[[int], Exception]) -> None:
        """End all exchanges of a connection that has ended, each with an error of its own."""
        for number, waiter in list(self._waiters.items()):
            waiter.end(error_of(number))
        self.stream.close()
        self._wake_all()

    def _lost(self, number: int) -> Exception:
        """Return the error of an exchange whose connection the server has closed."""
        goaway = self._goaway
        if goaway is None:
            return ExchangeFailed(failures.generic("unexpected EOF"))
        return ExchangeFailed(
            failures.of_goaway(goaway.error_code, goaway.last_stream_id, goaway.debug_data)
        )

    # -- events --------------------------------------------------------------------------------------

    def _take(self, event: object) -> None:
        if isinstance(event, (DataReceived, ResponseReceived, StreamReset, StreamClosed)):
            waiter = self._waiters.get(event.stream_id)
            if waiter is None or waiter.is_done:
                return
            if isinstance(event, DataReceived):
                _take_data(event, waiter)
            elif isinstance(event, ResponseReceived):
                _take_head(event, waiter)
            elif isinstance(event, StreamReset):
                self._take_reset(event, waiter)
            elif event.error_code:  # this side has ended it: its peer breaks the rules
                failure = failures.of_reset(event.error_code, event.stream_id, by_peer=False)
                waiter.end(ExchangeFailed(failure))
            else:
                waiter.end()
        elif isinstance(event, InformationalResponseReceived):
            waiter = self._waiters.get(event.stream_id)
            if waiter is not None:
                waiter.exchange.first_at = waiter.exchange.first_at or clock()
        elif isinstance(event, GoAwayReceived):
            self._take_goaway(event)
        elif isinstance(event, ConnectionClosed) and event.error_code:
            failure = failures.of_connection(event.error_code)
            self._end(lambda number: ExchangeFailed(failure))

    def _take_reset(self, event: StreamReset, waiter: _Waiter) -> None:
        """Process a reset of a stream; with some error codes the request is repeated."""
        code = event.error_code
        failure = failures.of_reset(code, event.stream_id)
        if code == _PROTOCOL_ERROR:  # on another connection, as Go does
            self._is_abandoned = True
        is_untouched = code in (_REFUSED, _PROTOCOL_ERROR) and waiter.exchange.head is None
        waiter.end(StreamRefused(failure) if is_untouched else ExchangeFailed(failure))

    def _take_goaway(self, event: GoAwayReceived) -> None:
        """Process GOAWAY: the server accepts no more requests, and names the last accepted stream."""
        self._goaway, code = event, event.error_code
        text = f"http2: Transport received GOAWAY from server ErrCode:{failures.code_name(code)}"
        failure = failures.generic(text)
        for number, waiter in self._waiters.items():
            if number > event.last_stream_id:
                waiter.end(ExchangeFailed(failure) if code else StreamRefused(failure))


def _take_head(event: ResponseReceived, waiter: _Waiter) -> None:
    exchange = waiter.exchange
    exchange.first_at = exchange.first_at or clock()
    pairs = [(decode_bytewise(field[0]), decode_bytewise(field[1])) for field in event.headers]
    status = int(next(value for name, value in pairs if name == ":status"))
    fields = [(name, value) for name, value in pairs if name not in (":status", "trailer")]
    exchange.head = head_of_http2(status, fields)
    if event.end_stream:
        waiter.end()


def _take_data(event: DataReceived, waiter: _Waiter) -> None:
    try:
        waiter.exchange.collected.add(event.data)
    except TooLarge as error:
        waiter.end(error)
    if event.end_stream:
        waiter.end()


def _request_fields(call: HttpCall, route: Route) -> Iterator[tuple[bytes, bytes]]:
    """Return the fields of a request (RFC 9113, section 8.3.1)."""
    fields = call.fields
    yield b":authority", (route.host if fields.host is None else fields.host).encode()
    yield b":method", call.method.encode()
    yield b":path", call.url.target.encode()
    yield b":scheme", call.url.scheme.encode()
    if fields.agent:
        yield b"user-agent", fields.agent.encode()
    for name, value in fields.others:
        if name not in _NOT_SENT:
            yield name.lower().encode(), value.encode()
    for crumb in call.cookies.split("; ") if call.cookies else ():
        yield b"cookie", crumb.encode()
    if call.body or (call.body is None and call.method in WITH_LENGTH):
        yield b"content-length", b"%d" % len(call.body or b"")
