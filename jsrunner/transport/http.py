"""One VU's HTTP client: it sends a request and receives its response; it follows no redirection.

Redirects, cookies and authentication are their callers' business (see modules.k6.http): each of
them is a request with samples of its own. Connections are kept as Go's net/http keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import gevent

from jsrunner.options.model import BATCH, BATCH_PER_HOST
from jsrunner.options.numbers import quote
from jsrunner.transport import failures
from jsrunner.transport.body import TooLarge
from jsrunner.transport.errors import DialError
from jsrunner.transport.exchange import (
    Exchange,
    ExchangeFailed,
    NoAnswer,
    Route,
    StreamRefused,
    Timings,
)
from jsrunner.transport.head import Heads, Malformed
from jsrunner.transport.headers import is_name
from jsrunner.transport.http1 import Http1
from jsrunner.transport.names import to_ascii
from jsrunner.transport.stream import Expired, Stream, clock

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence
    from ssl import SSLSocket

    from jsrunner.options.model import Options
    from jsrunner.transport.exchange import HttpCall
    from jsrunner.transport.failures import HttpFailure
    from jsrunner.transport.http1 import Begun
    from jsrunner.transport.http2 import Http2
    from jsrunner.transport.proxy import Proxies, Proxy
    from jsrunner.transport.stream import Meter
    from jsrunner.transport.url import URL

#: Methods of requests that are repeated on a new connection if a kept connection was closed.
_REPLAYABLE: Final = ("GET", "HEAD", "OPTIONS", "TRACE")
_COMMON_METHODS: Final = frozenset((*_REPLAYABLE, "POST", "PUT", "PATCH", "DELETE"))
#: Go's own number for kept connections to one host.
_IDLE_PER_HOST: Final = 2
#: Maximum repetitions of a request that an HTTP/2 server has not processed.
_MOST_REFUSALS: Final = 6
#: Hosts that a client remembers.
_MOST_POOLS: Final = 1000
#: Seconds: longer timeouts are none, and with a connection there is time for a look at it.
_LONGEST: Final = 1e9
_SHORTEST: Final = 1e-6
#: Outcomes of a loan: `enum reclaimed` of core/http_connection.c.
STILL_LENT, UNUSED, USED = range(3)
#: Unused loans in a row after which the core gets no loan until it asks for one.
_UNUSED_LOANS: Final = 3
#: Nanoseconds in which no other greenlet can have run.
_AT_ONCE: Final = 1_000_000


class Connects(Protocol):
    """Makes TCP and TLS connections (`transport.dial.Dialer`). Each raises DialError."""

    @property
    def proxies(self) -> Proxies:
        """The proxies that the environment names."""
        ...

    def connect(
        self, host: str, port: int, vu: int, *, secure: bool, begin: Callable[[], None] = ...
    ) -> socket.socket:
        """Return a gevent socket that is connected to the host."""

    def connect_proxy(self, proxy: Proxy, vu: int, begin: Callable[[], None] = ...) -> socket.socket:
        """Return a gevent socket that is connected to the proxy."""

    def secure(
        self, sock: socket.socket, host: str, port: int, alpn: tuple[str, ...], vu: int
    ) -> SSLSocket:
        """Return a TLS socket on top of a connection to the host."""


class ClientSettings:
    """The options that the clients of a process share."""

    def __init__(
        self, options: Options, dialer: Connects, environment: Mapping[str, str], max_body: int
    ) -> None:
        self.dialer = dialer
        self.heads = Heads()
        #: Maximum bytes of a response's body.
        self.max_body = max_body
        self.keeps_connections = not options.no_connection_reuse
        self.max_idle = BATCH if options.batch is None else options.batch
        per_host = BATCH_PER_HOST if options.batch_per_host is None else options.batch_per_host
        self.max_idle_per_host = per_host or _IDLE_PER_HOST
        speaks_http2 = "http2client=0" not in environment.get("GODEBUG", "").split(",")
        self.alpn = ("h2", "http/1.1") if speaks_http2 else ("http/1.1",)


class Lender(Protocol):
    """Lends kept connections to the core, which makes the usual requests on them by itself."""

    def lend(self, route: Route, descriptor: int, peer: tuple[str, int]) -> int:
        """Return the number of the connection, 0 if the core does not take it."""

    def reclaim(self, number: int) -> int:
        """Take a connection back: STILL_LENT while the core uses it, else UNUSED or USED."""


class _Pool:
    """The connections of a client to one host."""

    __slots__ = ("idle", "is_wanted", "lent", "route", "shared", "unused")

    def __init__(self, route: Route) -> None:
        self.route = route
        #: Connections that wait for the next request, the latest last.
        self.idle: list[Http1] = []
        #: The connection that is lent to the core, and its number.
        self.lent: tuple[int, Http1] | None = None
        #: True if the core makes requests to the host, and the count of unused loans in a row.
        self.is_wanted = False
        self.unused = 0
        #: The connection that all requests share, if the host speaks HTTP/2.
        self.shared: Http2 | None = None


class HttpClient:
    """The HTTP client of one VU. `exchange` may be called by several greenlets at once."""

    def __init__(self, settings: ClientSettings, vu: Meter, lender: Lender | None = None) -> None:
        self._settings = settings
        self._lender = lender
        self._vu = vu
        self._pools: dict[tuple[str, str], _Pool] = {}
        self._idle_count = 0

    def close(self) -> None:
        """Close all idle connections; the next request makes new connections."""
        for pool in self._pools.values():
            if pool.lent is not None:
                self._reclaim(pool)
            for connection in pool.idle:
                connection.stream.close()
            pool.idle.clear()
            if pool.shared is not None:
                pool.shared.close()
        # One on which the core makes a request is still in use.
        self._pools = {key: pool for key, pool in self._pools.items() if pool.lent is not None}
        self._idle_count = len(self._pools)

    def exchange(self, call: HttpCall, begun: Begun | None = None) -> Exchange:
        """Make a request, and park the greenlet until it has a response or a failure.

        Args:
            call: The request.
            begun: The part of the exchange that the core has done.
        """
        started = clock() if begun is None else begun.started
        url = call.url
        pool = self._pools.get((url.scheme, url.authority))
        if pool is None or call.method not in _COMMON_METHODS or call.fields.problem:
            problem = _problem(call)
            if problem:
                return Exchange.failed(failures.generic(problem), waited=False)
        if call.timeout <= 0:
            return Exchange.failed(failures.timeout(), waited=False)
        try:
            if pool is None:
                pool = self._open_pool(url)
            return self._exchange(call, pool, started, begun)
        except DialError as error:
            waited = clock() - started > _AT_ONCE
            return Exchange.failed(failures.of_dialing(error), waited=waited)

    def _open_pool(self, url: URL) -> _Pool:
        """Return the pool of the URL's host. Raises DialError for an invalid proxy."""
        if len(self._pools) >= _MOST_POOLS:
            self.close()
        settings = self._settings
        proxy = settings.dialer.proxies.proxy_for(url.host, url.port, secure=url.secure)
        pool = _Pool(Route(url, proxy, keeps_connections=settings.keeps_connections))
        self._pools[url.scheme, url.authority] = pool
        return pool

    def _exchange(self, call: HttpCall, pool: _Pool, started: int, begun: Begun | None) -> Exchange:
        """Make the request on a kept connection, else on a new one. Raises DialError."""
        refusals = 0
        seconds = min(call.timeout, _LONGEST)
        connection: Http1 | Http2 | None = None
        if begun is not None:
            connection = self._take_begun(pool, begun)
            seconds = max(_left(call, started), _SHORTEST)
        while True:
            marks: list[int] = []
            if connection is None:
                begun, connection = None, self._take(pool, call)
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

    # -- connections ---------------------------------------------------------------------------------

    def _take(self, pool: _Pool, call: HttpCall) -> Http1 | Http2 | None:
        """Return a kept connection for the request, None without one."""
        shared = pool.shared
        if shared is not None:
            if shared.is_usable:
                return shared
            pool.shared = None
        if not pool.idle and pool.lent is not None:
            self._reclaim(pool)
        while pool.idle:
            connection = pool.idle.pop()
            self._idle_count -= 1
            stream = connection.stream
            # A request that may not be repeated must not be lost on a connection that was closed.
            if not (stream.is_closed if is_replayable(call.method) else stream.has_ended()):
                return connection
        return None

    def _keep(self, pool: _Pool, connection: Http1) -> None:
        """Keep a connection for the next request, if the options allow it."""
        settings = self._settings
        kept = len(pool.idle) + (pool.lent is not None)
        if not settings.keeps_connections or kept >= settings.max_idle_per_host:
            connection.stream.close()
            return
        pool.idle.append(connection)
        self._idle_count += 1
        if pool.is_wanted and pool.unused < _UNUSED_LOANS:
            self._lend(pool)
        if self._idle_count > settings.max_idle > 0:
            self._drop_one(pool)

    def _drop_one(self, latest: _Pool) -> None:
        """Close a kept connection to another host."""
        for pool in self._pools.values():
            if pool is latest:
                continue
            if not pool.idle and pool.lent is not None:
                self._reclaim(pool)
            if pool.idle:
                pool.idle.pop(0).stream.close()
                self._idle_count -= 1
                return

    # -- the core ------------------------------------------------------------------------------------

    def lend(self, url: URL) -> None:
        """Lend the core a kept connection to the URL's host, if there is one and it has none."""
        pool = self._pools.get((url.scheme, url.authority))
        if pool is not None:
            pool.is_wanted, pool.unused = True, 0
            self._lend(pool)

    def _lend(self, pool: _Pool) -> None:
        if self._lender is None or pool.lent is not None or not pool.idle:
            return
        connection = pool.idle.pop()
        stream = connection.stream
        stream.lend()
        number = self._lender.lend(pool.route, stream.sock.fileno(), stream.peer)
        if number:
            pool.lent = number, connection
        else:
            stream.rejoin()
            pool.idle.append(connection)

    def route(self, url: URL) -> Route | None:
        """Return how requests are written to a host that this client has connected to."""
        pool = self._pools.get((url.scheme, url.authority))
        return None if pool is None else pool.route

    def _reclaim(self, pool: _Pool) -> None:
        """Put the lent connection back among the kept ones, unless the core uses it."""
        assert self._lender is not None
        assert pool.lent is not None
        number, connection = pool.lent
        state = self._lender.reclaim(number)
        if state != STILL_LENT:
            pool.unused = 0 if state == USED else pool.unused + 1
            pool.lent = None
            connection.stream.rejoin()
            if not connection.stream.has_ended():
                pool.idle.append(connection)
            else:
                self._idle_count -= 1

    def _take_begun(self, pool: _Pool, begun: Begun) -> Http1 | None:
        """Return the connection on which the core has begun an exchange; None if it was closed."""
        if pool.lent is None or pool.lent[0] != begun.connection:
            return None
        connection = pool.lent[1]
        pool.lent = None
        self._idle_count -= 1
        return connection

    # -- connecting ----------------------------------------------------------------------------------

    def _dial(self, pool: _Pool, marks: list[int]) -> Http1 | Http2:
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
        from jsrunner.transport.tls import facts

        secure = dialer.secure(sock, host, url.port, self._settings.alpn, vu)
        marks.append(clock())
        stream, known = Stream(secure, self._vu), facts(secure)
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
        pool: _Pool,
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
            self._keep(pool, connection)
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


def is_replayable(method: str) -> bool:
    """Return True if a request may be repeated if a kept connection was closed."""
    return method in _REPLAYABLE


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
