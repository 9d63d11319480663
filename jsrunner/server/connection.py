"""A client's connection and its request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from websockets.datastructures import Headers
    from websockets.http11 import Request
    from websockets.protocol import Event

    #: The handler of a connection after its upgrade.
    Play = Callable[["Connection"], Awaitable[None]]


class Rejection(Exception):
    """The request gets an HTTP response instead of an upgrade.

    Args:
        status: The status of the response.
        text: The body of the response.
        headers: Further headers of the response.
    """

    def __init__(self, status: int, text: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = tuple(headers)


class RequestTarget:
    """The target of a request: the path's segments, the query and the headers.

    The methods read parameters of the query and raise Rejection (400) for a wrong value.
    """

    def __init__(self, request: Request) -> None:
        parts = urlsplit(request.path)
        #: The path without slashes at its end.
        self.path = "/" + parts.path.strip("/")
        #: The decoded segments of the path.
        self.segments = tuple(unquote(segment) for segment in self.path[1:].split("/"))
        self.headers: Headers = request.headers
        self._query = dict(parse_qsl(parts.query, keep_blank_values=True))

    def text(self, name: str, default: str) -> str:
        """Return a parameter's text."""
        return self._query.get(name, default)

    def number(self, name: str, default: float, *, least: float = 0) -> float:
        """Return a parameter that is a finite number of at least `least`."""
        text = self._query.get(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value < float("inf"):
            raise Rejection(400, f"{self.path}: {name}={text} is no number from {least:g} on")
        return value

    def count(self, name: str, default: int, *, least: int = 0) -> int:
        """Return a parameter that is an integer of at least `least`."""
        value = float(self.number(name, default, least=least))
        if not value.is_integer():
            raise Rejection(400, f"{self.path}: {name}={value:g} is no whole number")
        return int(value)

    def switch(self, name: str, default: bool) -> bool:
        """Return a parameter that is true or false."""
        text = self._query.get(name)
        if text is None:
            return default
        if text not in ("true", "false"):
            raise Rejection(400, f"{self.path}: {name}={text} is neither true nor false")
        return text == "true"


class Connection(ServerConnection):
    """A connection that has the time of its last frame, and that can be dropped."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        #: The handler; None before the upgrade.
        self.play: Play | None = None
        #: The time of the client's last frame, by the loop's clock.
        self.heard = self.loop.time()
        self._lost: asyncio.Future[None] = self.loop.create_future()

    def process_event(self, event: Event) -> None:
        """Note the time of a frame, then handle it."""
        self.heard = self.loop.time()
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake `pause`."""
        super().connection_lost(exc)
        if not self._lost.done():
            self._lost.set_result(None)

    async def pause(self, seconds: float) -> None:
        """Sleep.

        Raises:
            ConnectionClosed: The connection has ended meanwhile.
        """
        await asyncio.wait([self._lost], timeout=seconds)
        if self._lost.done():
            raise ConnectionClosed(None, None)

    def drop(self) -> None:
        """End the TCP connection without a close frame."""
        self.transport.close()
