"""The connections of one VU's HTTP client: kept ones by host, and those that the core uses.

Connections are kept as Go's net/http keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from jsrunner.options.model import BATCH, BATCH_PER_HOST
from jsrunner.transport.exchange import Route
from jsrunner.transport.head import Heads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.options.model import Options
    from jsrunner.transport.connection import Connection
    from jsrunner.transport.http1 import Begun, Http1
    from jsrunner.transport.http2 import Http2
    from jsrunner.transport.proxy import Proxies, Proxy
    from jsrunner.transport.tls_socket import TLSSocket
    from jsrunner.transport.url import URL

#: Methods of requests that are repeated on a new connection if a kept connection was closed.
REPLAYABLE: Final = ("GET", "HEAD", "OPTIONS", "TRACE")
#: Go's own number for kept connections to one host.
_IDLE_PER_HOST: Final = 2
#: Hosts that a client remembers.
_MOST_POOLS: Final = 1000
#: Outcomes of a loan: `enum reclaimed` of core/http_connection.c.
STILL_LENT, UNUSED, USED = range(3)
#: Unused loans in a row after which the core gets no loan until it asks for one.
_UNUSED_LOANS: Final = 3


def is_replayable(method: str) -> bool:
    """Return True if a request may be repeated if a kept connection was closed."""
    return method in REPLAYABLE


class Connects(Protocol):
    """Makes TCP and TLS connections (`transport.dial.Dialer`). Each raises DialError."""

    @property
    def proxies(self) -> Proxies:
        """The proxies that the environment names."""
        ...

    def connect(
        self, host: str, port: int, vu: int, *, secure: bool, begin: Callable[[], None] = ...
    ) -> Connection:
        """Return a gevent socket that is connected to the host."""

    def connect_proxy(self, proxy: Proxy, vu: int, begin: Callable[[], None] = ...) -> Connection:
        """Return a gevent socket that is connected to the proxy."""

    def secure(
        self, sock: Connection, host: str, port: int, alpn: tuple[str, ...], vu: int
    ) -> TLSSocket:
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


class HostPool:
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


class ConnectionPools:
    """The connections of one VU's client, as long as the client. The VU's greenlets use it."""

    def __init__(self, settings: ClientSettings, lender: Lender | None) -> None:
        self._settings = settings
        self._lender = lender
        self._pools: dict[tuple[str, str], HostPool] = {}
        #: Kept connections to all hosts, with those that are lent.
        self._idle_count = 0

    def get(self, url: URL) -> HostPool | None:
        """Return the pool of the URL's host, None before the first request to it."""
        return self._pools.get((url.scheme, url.authority))

    def open(self, url: URL) -> HostPool:
        """Make the pool of the URL's host. Raises DialError for an invalid proxy."""
        if len(self._pools) >= _MOST_POOLS:
            self.close()
        settings = self._settings
        proxy = settings.dialer.proxies.proxy_for(url.host, url.port, secure=url.secure)
        pool = HostPool(Route(url, proxy, keeps_connections=settings.keeps_connections))
        self._pools[url.scheme, url.authority] = pool
        return pool

    def take(self, pool: HostPool, method: str) -> Http1 | Http2 | None:
        """Return a kept connection for a request with a method, None without one."""
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
            if not (stream.is_closed if is_replayable(method) else stream.has_ended()):
                return connection
        return None

    def keep(self, pool: HostPool, connection: Http1) -> None:
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

    def _drop_one(self, latest: HostPool) -> None:
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

    # -- the core ----------------------------------------------------------------------------------

    def lend(self, url: URL) -> None:
        """Lend the core a kept connection to the URL's host, if there is one and it has none."""
        pool = self.get(url)
        if pool is not None:
            pool.is_wanted, pool.unused = True, 0
            self._lend(pool)

    def _lend(self, pool: HostPool) -> None:
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
        """Return how requests are written to a host that the client has connected to."""
        pool = self.get(url)
        return None if pool is None else pool.route

    def _reclaim(self, pool: HostPool) -> None:
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

    def take_begun(self, pool: HostPool, begun: Begun) -> Http1 | None:
        """Return the connection on which the core has begun an exchange; None if it was closed."""
        if pool.lent is None or pool.lent[0] != begun.connection:
            return None
        connection = pool.lent[1]
        pool.lent = None
        self._idle_count -= 1
        return connection

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
