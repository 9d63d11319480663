"""One VU's HTTP client: it sends a request and receives its response; it follows no redirection.

Redirects, cookies and authentication are their callers' business (see modules.k6.http): each of
them is a request with samples of its own. `http_pools` keeps the connections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import gevent

from jsrunner.options.numbers import quote
from jsrunner.transport import failures
from jsrunner.transport.body import TooLarge
from jsrunner.transport.errors import DialError
from jsrunner.transport.exchange import (
    Exchange,
    ExchangeFailed,
    NoAnswer,
    StreamRefused,
    Timings,
)
from jsrunner.transport.head import Malformed
from jsrunner.transport.headers import is_name
from jsrunner.transport.http1 import Http1
from jsrunner.transport.http_pools import REPLAYABLE, ConnectionPools, is_replayable
from jsrunner.transport.names import to_ascii
from jsrunner.transport.stream import Expired, Stream, clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.transport.exchange import HttpCall
    from jsrunner.transport.failures import HttpFailure
    from jsrunner.transport.http1 import Begun
    from jsrunner.transport.http2 import Http2
    from jsrunner.transport.http_pools import ClientSettings, HostPool, Lender
    from jsrunner.transport.stream import Meter

_COMMON_METHODS: Final = frozenset((*REPLAYABLE, "POST", "PUT", "PATCH", "DELETE"))
#: Maximum repetitions of a request that an HTTP/2 server has not processed.
_MOST_REFUSALS: Final = 6
#: Seconds: longer timeouts are none, and with a connection there is time for a look at it.
_LONGEST: Final = 1e9
_SHORTEST: Final = 1e-6
#: Nanoseconds in which no other greenlet can have run.
_AT_ONCE: Final = 1_000_000


class HttpClient:
    """The HTTP client of one VU. `exchange` may be called by several greenlets at once."""

    def __init__(self, settings: ClientSettings, vu: Meter, lender: Lender | None = None) -> None:
        self._settings = settings
        self._vu = vu
        #: The connections, by their hosts.
        self.pools = ConnectionPools(settings, lender)

    def close(self) -> None:
        """Close all idle connections; the next request makes new connections."""
        self.pools.close()

    def exchange(self, call: HttpCall, begun: Begun | None = None) -> Exchange:
        """Make a request, and park the greenlet until it has a response or a failure.

        Args:
            call: The request.
            begun: The part of the exchange that the core has done.
        """
        started = clock() if begun is None else begun.started
        url = call.url
        pool = self.pools.get(url)
        if pool is None or call.method not in _COMMON_METHODS or call.fields.problem:
            problem = _problem(call)
            if problem:
                return Exchange.failed(failures.generic(problem), waited=False)
        if call.timeout <= 0:
            return Exchange.failed(failures.timeout(), waited=False)
        try:
            if pool is None:
                pool = self.pools.open(url)
            return self._exchange(call, pool, started, begun)
        except DialError as error:
            waited = clock() - started > _AT_ONCE
            return Exchange.failed(failures.of_dialing(error), waited=waited)

    def _exchange(self, call: HttpCall, pool: HostPool, started: int, begun: Begun | None) -> Exchange:
        """Make the request on a kept connection, else on a new one. Raises DialError."""
        refusals = 0
        seconds = min(call.timeout, _LONGEST)
        connection: Http1 | Http2 | None = None
        if begun is not None:
            connection = self.pools.take_begun(pool, begun)
            seconds = max(_left(call, started), _SHORTEST)
        while True:
            marks: list[int] = []
            if connection is None:
                begun, connection = None, self.pools.take(pool, call.method)
            if connection is None:
                marks.append(started)
                try:
                    with gevent.Timeout(seconds, Expired):
                        connection = self._dial(pool, marks)
                except Expired:
                    return Exchange.failed(failures.timeout(), _dial_timings(marks))
                seconds = max(_left(call, started), _SHORTEST)
            try:
                return self._converse(call, pool, connection, started, seconds, marks, refusals, begun)
            except StreamRefused:
                refusals += 1
                if refusals > 1:  # as Go waits
                    gevent.sleep(2 ** (refusals - 2))
            except NoAnswer:
                pass
            connection, seconds = None, _left(call, started)
            if seconds <= 0:
                return Exchange.failed(failures.timeout())

    # -- connecting ----------------------------------------------------------------------------------

    def _dial(self, pool: HostPool, marks: list[int]) -> Http1 | Http2:
        """Connect to a host.

        Args:
            pool: The connections to the host.
            marks: Receives the moments of TCP's begin, of its connect, and of the TLS handshake's end.

        Raises:
            DialError: There is no connection.
        """
        dialer, vu, url = self._settings.dialer, self._vu.id, pool.route.url
        host = to_ascii(url.host)

        def begin() -> None:
            marks.append(clock())

        if pool.route.proxy is not None:
            sock = dialer.connect_proxy(pool.route.proxy, vu, begin)
        else:
            sock = dialer.connect(host, url.port, vu, secure=url.secure, begin=begin)
        marks.append(clock())
        if not url.secure:
            return Http1(Stream(sock, self._vu), self._settings.heads, None)
        secure = dialer.secure(sock, host, url.port, self._settings.alpn, vu)
        marks.append(clock())
        stream, known = Stream(secure, self._vu), secure.facts()
        if secure.selected_alpn_protocol() != "h2":
            return Http1(stream, self._settings.heads, known)
        from jsrunner.transport.http2 import Http2

        if pool.shared is not None and pool.shared.is_usable:  # made meanwhile for another request
            stream.close()
        else:
            pool.shared = Http2(stream, known)
        return pool.shared

    # -- one exchange --------------------------------------------------------------------------------

    def _converse(
        self,
        call: HttpCall,
        pool: HostPool,
        connection: Http1 | Http2,
        started: int,
        seconds: float,
        marks: Sequence[int],
        refusals: int,
        begun: Begun | None,
    ) -> Exchange:
        """Make the request on a connection.

        Args:
            call: The request.
            pool: The connections to the host.
            connection: The connection, kept or new.
            started: The moment when the exchange began.
            seconds: Seconds until the exchange expires.
            marks: Moments of a new connection (see `_dial`); empty for a kept connection.
            refusals: Count of failed attempts.
            begun: The part of the exchange that the core has done on this connection.

        Raises:
            NoAnswer, StreamRefused: The request must be made on another connection.
        """
        exchange = Exchange(None if call.discard else self._settings.max_body)
        exchange.peer, exchange.tls = connection.stream.peer, connection.tls
        ready = clock() if begun is None else started
        is_kept = False
        try:
            if begun is None:
                is_kept = connection.perform(call, pool.route, seconds, exchange)
            else:
                assert type(connection) is Http1
                is_kept = connection.perform(call, pool.route, seconds, exchange, begun)
        except ExchangeFailed as error:
            if _is_to_be_repeated(error, call, refusals, is_new=bool(marks)):
                raise
            exchange.failure = error.failure
        except (Malformed, Expired, TooLarge, DialError, OSError) as error:
            exchange.failure = self._failure(error, connection)
        finally:
            if not is_kept:
                connection.discard()
        if is_kept and type(connection) is Http1:
            self.pools.keep(pool, connection)
        exchange.timings = _timings(exchange, started, ready, clock(), marks)
        exchange.body = exchange.collected.take()
        if exchange.failure is not None and exchange.head is not None:
            exchange.failure = exchange.failure.of_body()
        return exchange

    def _failure(self, error: Exception, connection: Http1 | Http2) -> HttpFailure:
        """Return the failure of an exchange."""
        if isinstance(error, Malformed):
            return failures.malformed(str(error))
        if isinstance(error, Expired):
            return failures.timeout()
        if isinstance(error, TooLarge):
            return failures.too_large(self._settings.max_body)
        if isinstance(error, DialError):
            return failures.of_dialing(error)
        assert isinstance(error, OSError)
        return failures.of_stream_error(error, connection.stream)


def _problem(call: HttpCall) -> str:
    """Return Go's reason to refuse a request, "" if it makes the request."""
    url = call.url
    is_http = url.scheme in ("http", "https")
    if is_http and call.fields.problem:
        return call.fields.problem
    if not is_http:
        return f"unsupported protocol scheme {quote(url.scheme)}"
    if not is_name(call.method):
        return f"net/http: invalid method {quote(call.method)}"
    if not url.authority:
        return "http: no Host in request URL"
    return ""


def _is_to_be_repeated(error: ExchangeFailed, call: HttpCall, refusals: int, *, is_new: bool) -> bool:
    """Return True if the request must be made on another connection, as in Go."""
    if isinstance(error, StreamRefused):
        return refusals < _MOST_REFUSALS
    return isinstance(error, NoAnswer) and not is_new and is_replayable(call.method)


def _left(call: HttpCall, started: int) -> float:
    """Return the seconds until a request expires."""
    return min(call.timeout, _LONGEST) - (clock() - started) / 1e9


def _timings(exchange: Exchange, started: int, ready: int, done: int, marks: Sequence[int]) -> Timings:
    """Return k6's timings of an exchange, up to the phase that it has reached.

    Args:
        exchange: The exchange, which is over.
        started: The moment when a connection was requested.
        ready: The moment when the connection was ready.
        done: The moment when the exchange was over.
        marks: Moments of a new connection (see `HttpClient._dial`).
    """
    connecting = securing = 0
    if marks:
        connecting = marks[2] - marks[1]
        securing = marks[3] - marks[2] if len(marks) > 3 else 0
    sent = exchange.sent_at or done
    first = exchange.first_at or done
    return (
        (ready - started) // 1000,
        connecting // 1000,
        securing // 1000,
        (sent - ready) // 1000 if sent > ready else 0,
        (first - sent) // 1000 if first > sent else 0,
        (done - first) // 1000,
    )


def _dial_timings(marks: list[int]) -> Timings:
    """Return the timings of a connection that was not ready in time."""
    connecting = marks[2] - marks[1] if len(marks) > 2 else 0
    return 0, connecting // 1000, 0, 0, 0, 0
