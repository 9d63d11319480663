"""What passes between a client and its connections: a request, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.transport.body import Body
from jsrunner.transport.names import to_ascii

if TYPE_CHECKING:
    from jsrunner.transport.failures import Failure
    from jsrunner.transport.fields import Fields
    from jsrunner.transport.head import Head
    from jsrunner.transport.proxy import Proxy
    from jsrunner.transport.url import URL


class Call:
    """A request as it goes on the wire."""

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
        #: None: none at all, which is not the same as an empty one.
        self.body = body
        #: Seconds.
        self.timeout = timeout
        #: The body of the response is read and thrown away.
        self.discard = discard


class Route:
    """How requests to a host are written: what its URL, a proxy and the options make of them."""

    __slots__ = ("host", "last", "prefix", "proxy", "url")

    def __init__(self, url: URL, proxy: Proxy | None, *, keeps_connections: bool) -> None:
        self.url = url
        #: The proxy that takes the requests as they are.
        self.proxy = proxy if proxy is not None and proxy.forwards and not url.secure else None
        name, zone, _ = url.authority.partition("%")
        #: What the Host field says.
        self.host = f"{name}]{url.authority.rpartition(']')[2]}" if zone else to_ascii(url.authority)
        #: What stands before the target on the request line.
        self.prefix = f"http://{self.host}" if self.proxy else ""
        #: Fields behind all others, as lines.
        self.last = ""
        if self.proxy and self.proxy.authorization:
            self.last += f"Proxy-Authorization: {self.proxy.authorization}\r\n"
        if not keeps_connections:
            self.last += "Connection: close\r\n"


class Failed(Exception):
    """An exchange has failed; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


class NoAnswer(Failed):
    """The connection ended before a response began: perhaps nobody has read the request."""


class Refused(NoAnswer):
    """The server says that it has not processed the request (RFC 9113, section 8.7)."""


#: blocked, connecting, tls_handshaking, sending, waiting, receiving, in microseconds.
Timings = tuple[int, int, int, int, int, int]
NO_TIME: Final[Timings] = (0, 0, 0, 0, 0, 0)


class Exchange:
    """What comes of a call: filled as it comes, so that what breaks off can be read."""

    __slots__ = (
        "body", "collected", "failure", "first_at", "head", "peer", "sent_at", "timings", "tls",
        "waited",
    )  # fmt: skip

    def __init__(self, limit: int | None) -> None:
        """
        Args:
            limit: how many bytes the body may have; None: it is thrown away.
        """
        #: What has come of the body.
        self.collected = Body(limit)
        self.head: Head | None = None
        #: Why there is no response, or not all of it.
        self.failure: Failure | None = None
        #: The body when all is over; None: there is none that a script could see.
        self.body: bytes | None = b""
        #: When the request had been sent, and when the response began (see `stream.clock`); 0: not yet.
        self.sent_at = self.first_at = 0
        self.timings = NO_TIME
        #: IP and port of who was connected to.
        self.peer = ("", 0)
        #: `tls1.3` and Go's name of the cipher suite.
        self.tls: tuple[str, str] | None = None
        #: Whether other greenlets had their turn meanwhile.
        self.waited = True

    @classmethod
    def failed(cls, failure: Failure, timings: Timings = NO_TIME, *, waited: bool = True) -> Exchange:
        """Return the exchange of a request that was not made."""
        exchange = cls(None)
        exchange.failure, exchange.timings, exchange.waited = failure, timings, waited
        return exchange
