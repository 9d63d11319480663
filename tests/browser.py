"""An HTTP client with what it needs, for tests of what is below the modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent
from servers import read_request
from waiting import DEADLINE

from jsrunner.options.model import Options
from jsrunner.transport.dial import Dialer
from jsrunner.transport.exchange import Exchange, HttpCall
from jsrunner.transport.fields import Fields
from jsrunner.transport.http import HttpClient
from jsrunner.transport.http_pools import ClientSettings
from jsrunner.transport.url import parse

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from servers import Server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Meter:
    id = 1
    bytes_sent = bytes_received = 0

    def add_bytes(self, sent: int, received: int) -> None:
        self.bytes_sent += sent
        self.bytes_received += received


class Browser:
    """A client with what it needs."""

    def __init__(
        self, environment: dict[str, str] | None = None, max_body: int = 1 << 30, **options: Any
    ) -> None:
        self.meter = Meter()
        #: What the dialer has said.
        self.warnings: list[tuple[str, str]] = []
        chosen = Options(**options)
        environment = environment or {}
        dialer = Dialer(chosen, environment, lambda level, text: self.warnings.append((level, text)))
        self.settings = ClientSettings(chosen, dialer, environment, max_body)
        self.client = HttpClient(self.settings, self.meter)

    def send(
        self, url: str, method: str = "GET", headers: dict[str, str] | None = None, **more: Any
    ) -> Exchange:
        call = HttpCall(method, parse(url), Fields(headers or {}), **{"timeout": DEADLINE, **more})
        with gevent.Timeout(DEADLINE):
            return self.client.exchange(call)

    def failure(self, url: str, **more: Any) -> tuple[int, str, str]:
        """(code, short text, full text with ports masked) of a request that fails."""
        exchange = self.send(url, **more)
        assert exchange.failure is not None, exchange.head
        return (
            exchange.failure.code,
            exchange.failure.message,
            exchange.failure.full_text("GET", parse(url)),
        )


def url_of(server: Server, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.port}/"


def replying(data: bytes) -> Callable[[socket.socket], None]:
    """Return a handler that answers one request with these bytes."""

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)

    return answer
