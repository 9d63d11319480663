"""Requests and their exchanges, as a client hands them to its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.transport.body import Body
from jsrunner.transport.names import to_ascii

if TYPE_CHECKING:
    from jsrunner.transport.failures import HttpFailure
    from jsrunner.transport.fields import Fields
    from jsrunner.transport.head import Head
    from jsrunner.transport.proxy import Proxy
    from jsrunner.transport.url import URL


class HttpCall:
    """A request in the form that goes on the wire."""

    __slots__ = ("body", "cookies", "discard", "fields", "method", "timeout", "url")

    def __init__(
        self,
        method: str,
        url: URL,
        fields: Fields,
        cookies: str = "",
        body: bytes | None = None,
        timeout: float = 0.0,
        discard: bool = False,
    ) -> None:
        self.method, self.url = method, url
        self.fields = fields
        #: The Cookie header's value, "" for none.
        self.cookies = cookies
        #: None without a body, which differs from an empty body.
        self.body = body
        #: Seconds.
        self.timeout = timeout
        #: True to read the response's body and throw it away.
        self.discard = discard


class Route:
    """The form of requests to a host, by its URL, a proxy and the options."""

    __slots__ = ("host", "last", "prefix", "proxy", "url")

    def __init__(self, url: URL, proxy: Proxy | None, *, keeps_connections: bool) -> None:
        self.url = url
        #: The proxy that takes the requests without a tunnel.
        self.proxy = proxy if proxy is not None and proxy.forwards and not url.secure else None
        name, zone, _ = url.authority.partition("%")
        #: Value of the Host field.
        self.host = f"{name}]{url.authority.rpartition(']')[2]}" if zone else to_ascii(url.authority)
        #: Text before the target on the request line.
        self.prefix = f"http://{self.host}" if self.proxy else ""
        #: Fields behind all others, as lines.
        self.last = ""
        if self.proxy and self.proxy.authorization:
            self.last += f"Proxy-Authorization: {self.proxy.authorization}\r\n"
        if not keeps_connections:
            self.last += "Connection: close\r\n"


class ExchangeFailed(Exception):
    """An exchange has failed; `failure` has its code and texts."""

    def __init__(self, failure: HttpFailure) -> None:
        super().__init__(failure.text)
        self.failure = failure


class NoAnswer(ExchangeFailed):
    """The connection ended before a response began: the server may not have read the request."""


class StreamRefused(NoAnswer):
    """The server has not processed the request (RFC 9113, section 8.7)."""


#: blocked, connecting, tls_handshaking, sending, waiting, receiving, in microseconds.
Timings = tuple[int, int, int, int, int, int]
NO_TIME: Final[Timings] = (0, 0, 0, 0, 0, 0)


class Exchange:
    """The progress and outcome of a request.

    The connection fills it as data arrives, so that a broken-off exchange keeps its received parts.
    """

    __slots__ = (
        "body", "collected", "failure", "first_at", "head", "peer", "sent_at", "timings", "tls",
        "waited",
    )  # fmt: skip

    def __init__(self, limit: int | None) -> None:
        """Make an exchange that has not begun.

        Args:
            limit: Maximum bytes of the body; None discards it.
        """
        #: The received part of the body.
        self.collected = Body(limit)
        self.head: Head | None = None
        #: The reason for a missing or incomplete response.
        self.failure: HttpFailure | None = None
        #: The complete body; None if a script sees none.
        self.body: bytes | None = b""
        #: Moments (`stream.clock`) of the sent request and of the response's first byte; 0 before them.
        self.sent_at = self.first_at = 0
        self.timings = NO_TIME
        #: IP address and port of the peer.
        self.peer = ("", 0)
        #: `tls1.3` and Go's name of the cipher suite.
        self.tls: tuple[str, str] | None = None
        #: True if other greenlets may have run meanwhile.
        self.waited = True

    @classmethod
    def failed(
        cls, failure: HttpFailure, timings: Timings = NO_TIME, *, waited: bool = True
    ) -> Exchange:
        """Return the exchange of a request that was never sent."""
        exchange = cls(None)
        exchange.failure, exchange.timings, exchange.waited = failure, timings, waited
        return exchange
