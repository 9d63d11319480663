"""HTTP/1.1 on one connection (RFC 9112): one request and its response at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from jsrunner.transport import failures
from jsrunner.transport.chunked import ChunkedBody
from jsrunner.transport.exchange import NoAnswer
from jsrunner.transport.head import Malformed, read_head
from jsrunner.transport.stream import clock

if TYPE_CHECKING:
    from jsrunner.transport.body import Body
    from jsrunner.transport.exchange import Exchange, HttpCall, Route
    from jsrunner.transport.head import Head, Heads
    from jsrunner.transport.stream import Stream


class Begun(NamedTuple):
    """An exchange that the core has begun and hands over: `pack_begun` of core/http.c.

    Moments are nanoseconds of `stream.clock`, 0 before them.
    """

    #: The core's number of the connection.
    connection: int
    started: int
    sent_at: int
    first_at: int
    #: Bytes of the request that were sent.
    sent: int
    #: Errno that has stopped the core, 0 for none.
    error: int
    #: Received part of the response.
    data: bytes


class Http1:
    """A connection that speaks HTTP/1.1, one exchange at a time."""

    __slots__ = ("_heads", "stream", "tls")

    def __init__(self, stream: Stream, heads: Heads, tls: tuple[str, str] | None) -> None:
        self.stream = stream
        #: `tls1.3` and Go's name of the cipher suite.
        self.tls = tls
        self._heads = heads

    def perform(
        self,
        call: HttpCall,
        route: Route,
        seconds: float,
        exchange: Exchange,
        begun: Begun | None = None,
    ) -> bool:
        """Send a request and receive its response into `exchange`.

        Args:
            call: The request.
            route: The form of requests to the host.
            seconds: Seconds until the exchange expires.
            exchange: The progress and outcome of the request.
            begun: The part of the exchange that the core has done.

        Returns:
            True if another exchange may follow.

        Raises:
            NoAnswer: the connection has ended without a response.
            Malformed, TooLarge, Expired, OSError: `exchange` has the received part of the response.
        """
        stream = self.stream
        target = call.url.target
        request = call.fields.encode(
            call.method,
            route.prefix + target if route.prefix else target,
            route.host,
            call.body,
            call.cookies,
            route.last,
        )
        stream.expire_in(seconds)
        try:
            if begun is None:
                stream.write(request)
            else:
                exchange.first_at = begun.first_at
                self._resume(request, begun)
            has_rest = self._receive(call.method, exchange)
        finally:
            stream.stay()
            exchange.sent_at = stream.sent_at
            if self.tls is not None:
                stream.count_tls()
        head = exchange.head
        assert head is not None
        return not (head.closes or has_rest or stream.has_unsent)

    def _resume(self, request: bytes, begun: Begun) -> None:
        """Continue a request that the core has sent, completely or in part."""
        stream = self.stream
        if begun.sent < len(request):
            stream.rejoin()
            stream.write(request[begun.sent :])
            return
        error = OSError(begun.error, os.strerror(begun.error)) if begun.error else None
        stream.rejoin(begun.data, error)
        stream.sent_at = begun.sent_at

    def discard(self) -> None:
        """Close the connection: no exchange may follow."""
        self.stream.close()

    def _receive(self, method: str, exchange: Exchange) -> bool:
        """Receive the response; return True if bytes have arrived behind it."""
        head, rest = self._read_head(method, exchange, b"")
        while head.is_interim:
            head, rest = self._read_head(method, exchange, rest)
        exchange.head = head
        if head.length is not None:
            return self._read_sized(head.length, rest, exchange.collected)
        if head.is_chunked:
            return self._read_chunked(rest, exchange.collected)
        exchange.collected.add(rest)
        while rest := self.stream.read():
            exchange.collected.add(rest)
        return False

    # -- the head ------------------------------------------------------------------------------------

    def _read_head(self, method: str, exchange: Exchange, data: bytes) -> tuple[Head, bytes]:
        """Read a head that begins with `data`; return the head and the bytes behind it."""
        data = data or self._begin(exchange)
        end = data.find(b"\r\n\r\n") + 4
        if end > 3:
            known = self._heads.known.get((data[:end], method))
            if known is not None:
                return known, data[end:]
        data, end = read_head(self.stream.read, data)
        return self._heads.parse(data[:end], method), data[end:]

    def _begin(self, exchange: Exchange) -> bytes:
        """Wait for the first bytes of a head. Raises NoAnswer if the first head never begins."""
        try:
            data = self.stream.read()
        except OSError as error:
            if exchange.first_at:
                raise
            raise NoAnswer(failures.of_stream_error(error, self.stream)) from None
        if not exchange.first_at:
            if not data:
                raise NoAnswer(failures.generic("EOF"))
            exchange.first_at = clock()
        elif not data:  # an interim response came before: this is the middle of it all
            raise Malformed("unexpected EOF")
        return data

    # -- the body ------------------------------------------------------------------------------------

    def _read_sized(self, length: int, rest: bytes, body: Body) -> bool:
        missing = length - len(rest)
        if missing <= 0:
            body.add(rest[:length] if missing else rest)
            return missing < 0
        body.add(rest)
        while missing > 0:
            data = self.stream.read()
            if not data:
                raise Malformed("unexpected EOF")
            missing -= len(data)
            body.add(data if missing >= 0 else data[:missing])
        return missing < 0

    def _read_chunked(self, rest: bytes, body: Body) -> bool:
        chunks = ChunkedBody()
        while True:
            for piece in chunks.feed(rest):
                body.add(piece)
            if chunks.is_complete:
                return bool(chunks.rest)
            rest = self.stream.read()
            if not rest:
                raise chunks.end()
