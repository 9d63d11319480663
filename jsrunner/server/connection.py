"""A client's connection, and what it has asked for."""

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

    #: What a path does with a connection that stands.
    Play = Callable[["Connection"], Awaitable[None]]


class Refused(Exception):
    """The request gets an answer that is no upgrade."""

    def __init__(self, status: int, text: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = tuple(headers)


class Target:
    """What a request asks for: the path's segments, the query, the headers."""

    def __init__(self, request: Request) -> None:
        parts = urlsplit(request.path)
        self.path = "/" + parts.path.strip("/")
        self.segments = tuple(unquote(one) for one in self.path[1:].split("/"))
        self.headers: Headers = request.headers
        self._query = dict(parse_qsl(parts.query, keep_blank_values=True))

    def text(self, name: str, default: str) -> str:
        return self._query.get(name, default)

    def number(self, name: str, default: float, *, least: float = 0) -> float:
        """A parameter of the query. Raises Refused."""
        given = self._query.get(name)
        if given is None:
            return default
        try:
            value = float(given)
        except ValueError:
            value = float("nan")
        if not least <= value < float("inf"):
            raise Refused(400, f"{self.path}: {name}={given} is no number from {least:g} on")
        return value

    def count(self, name: str, default: int, *, least: int = 0) -> int:
        """As `number`, without a fraction. Raises Refused."""
        value = float(self.number(name, default, least=least))
        if not value.is_integer():
            raise Refused(400, f"{self.path}: {name}={value:g} is no whole number")
        return int(value)

    def switch(self, name: str, default: bool) -> bool:
        """true or false. Raises Refused."""
        given = self._query.get(name)
        if given is None:
            return default
        if given not in ("true", "false"):
            raise Refused(400, f"{self.path}: {name}={given} is neither true nor false")
        return given == "true"


class Connection(ServerConnection):
    """A connection that knows when it last heard of its client, and that can be dropped."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.play: Play | None = None
        #: When the last frame came, by the loop's clock.
        self.heard = self.loop.time()
        self._lost: asyncio.Future[None] = self.loop.create_future()

    def process_event(self, event: Event) -> None:
        self.heard = self.loop.time()
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self._lost.done():
            self._lost.set_result(None)

    async def pause(self, seconds: float) -> None:
        """Sleep. Raises ConnectionClosed as soon as the connection is gone."""
        await asyncio.wait([self._lost], timeout=seconds)
        if self._lost.done():
            raise ConnectionClosed(None, None)

    def drop(self) -> None:
        """End the TCP connection without a close frame."""
        self.transport.close()
