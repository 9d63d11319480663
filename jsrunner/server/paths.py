"""The server's WebSocket paths: their table and the handlers of connections."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ConnectionClosed, ProtocolError
from websockets.frames import Close

from jsrunner.server import binary, rpc, tokens
from jsrunner.server.chat import Rooms
from jsrunner.server.connection import Rejection
from jsrunner.server.feed import SYMBOLS, feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.server.connection import Connection, Play, RequestTarget

#: The subprotocols of /subprotocol.
SUBPROTOCOLS: Final = ("chat.v2", "chat.v1", "json")
#: The close code of /heartbeat for a silent client.
SILENT: Final = 4008
#: "No close frame" (RFC 6455 7.4.1): a code that is never sent.
_ABNORMAL: Final = 1006


@dataclass(frozen=True, slots=True)
class Path:
    """A WebSocket path of the server."""

    #: The path with its parameters and their defaults.
    usage: str
    help: str
    #: Returns the handler of a connection, before the upgrade. Raises Rejection.
    open: Callable[[RequestTarget], Play]

    @property
    def name(self) -> str:
        """The first segment of the path."""
        return self.usage[1:].partition("?")[0].partition("/")[0]


class Paths:
    """The WebSocket paths of a server."""

    def __init__(self) -> None:
        self._rooms = Rooms()
        signature = f"the hexadecimal HMAC-SHA256 of USER:TIMESTAMP by the secret {tokens.SECRET}"
        self.table = (
            Path("/", "as /echo", _echo),
            Path("/echo", "every message comes back", _echo),
            Path(
                f"/push?rate=10&count=0&size=0&symbols={','.join(SYMBOLS)}",
                "prices: rate a second (0: flat out), count in all (0: no end), padded to size",
                _push,
            ),
            Path(
                "/chat/ROOM?user=NAME", "messages, joins and leaves go to all in the room", self._chat
            ),
            Path("/close/CODE?reason=TEXT", "closes at once; 1006: without a close frame", _close),
            Path("/rpc", "JSON-RPC 2.0: echo, add, sleep (milliseconds), error", _rpc),
            Path("/binary", "length-prefixed records: echo, sum, time", _binary),
            Path("/auth/echo", "401 without `Authorization: Bearer TOKEN` of /login", _authorized),
            Path(
                "/signed/echo",
                f"401 without X-User, X-Timestamp (ms), X-Signature: {signature}",
                _signed,
            ),
            Path("/flaky?most=10&seed=", "echoes, and drops the connection after 1 to most", _flaky),
            Path("/slow?delay=1", "echoes after delay seconds", _slow),
            Path(
                "/heartbeat?interval=1&timeout=3&ping=true",
                f"pings each interval; closes with {SILENT} when nothing has come for timeout seconds",
                _heartbeat,
            ),
            Path(
                "/subprotocol",
                f"speaks {', '.join(SUBPROTOCOLS)}: tells which was chosen, then echoes",
                _subprotocol,
            ),
        )
        self._by_name = {path.name: path for path in self.table}

    def open(self, target: RequestTarget) -> Play:
        """Return the handler of a request's path.

        Raises:
            Rejection: There is no such path, or a parameter is wrong.
        """
        path = self._by_name.get(target.segments[0])
        if path is None:
            raise Rejection(404, f"there is no path {target.path}: / lists those that there are")
        return path.open(target)

    def _chat(self, target: RequestTarget) -> Play:
        _expect(target, "room")
        return self._rooms.enter(target.segments[1], target.text("user", ""))


def _expect(target: RequestTarget, *names: str) -> None:
    """Check that the path has as many further segments as names. Raise Rejection otherwise."""
    segments = target.segments[1:]
    if len(segments) != len(names) or not all(segments):
        expected = "/".join(["", target.segments[0], *names])
        raise Rejection(404, f"there is no path {target.path}, perhaps {expected}")


def _expect_echo(target: RequestTarget) -> None:
    if target.segments[1:] != ("echo",):
        raise Rejection(404, f"there is no path {target.path}, perhaps /{target.segments[0]}/echo")


async def _play_echo(connection: Connection) -> None:
    async for message in connection:
        await connection.send(message)


def _echo(target: RequestTarget) -> Play:
    _expect(target)
    return _play_echo


def _push(target: RequestTarget) -> Play:
    _expect(target)
    symbols = [symbol for symbol in target.text("symbols", "").split(",") if symbol]
    return feed(
        rate=target.number("rate", 10.0),
        count=target.count("count", 0),
        size=target.count("size", 0),
        symbols=symbols or SYMBOLS,
    )


def _close(target: RequestTarget) -> Play:
    _expect(target, "code")
    text, reason = target.segments[1], target.text("reason", "")
    code = int(text) if text.isdecimal() else 0
    if code != _ABNORMAL:
        try:
            Close(code, reason).check()
        except ProtocolError as error:
            raise Rejection(400, f"{target.path}: {error}") from None
        if len(reason.encode()) > 123:  # RFC 6455 5.5: a control frame has at most 125 bytes
            raise Rejection(400, f"{target.path}: the reason has more than 123 bytes")

    async def play(connection: Connection) -> None:
        if code == _ABNORMAL:
            connection.drop()
        else:
            await connection.close(code, reason)

    return play


def _rpc(target: RequestTarget) -> Play:
    _expect(target)
    return rpc.play


def _binary(target: RequestTarget) -> Play:
    _expect(target)

    async def play(connection: Connection) -> None:
        async for message in connection:
            if isinstance(message, str):
                await connection.close(1003, "binary messages only")
                return
            try:
                records = binary.decode(message)
            except ValueError as error:
                await connection.close(1003, str(error))
                return
            await connection.send(binary.encode(binary.answer(record) for record in records))

    return play


def _authorized(target: RequestTarget) -> Play:
    _expect_echo(target)
    tokens.user_of(target.headers.get("Authorization"), time.time())
    return _play_echo


def _signed(target: RequestTarget) -> Play:
    _expect_echo(target)
    user, timestamp, signature = map(target.headers.get, ("X-User", "X-Timestamp", "X-Signature"))
    tokens.check_signature(user, timestamp, signature, time.time())
    return _play_echo


def _flaky(target: RequestTarget) -> Play:
    _expect(target)
    seed = target.text("seed", "")
    most = target.count("most", 10, least=1)
    left = random.Random(seed or None).randint(1, most)

    async def play(connection: Connection) -> None:
        for _ in range(left):
            await connection.send(await connection.recv())
        connection.drop()

    return play


def _slow(target: RequestTarget) -> Play:
    _expect(target)
    delay = target.number("delay", 1.0)

    async def play(connection: Connection) -> None:
        async for message in connection:
            await connection.pause(delay)
            await connection.send(message)

    return play


def _heartbeat(target: RequestTarget) -> Play:
    _expect(target)
    interval = target.number("interval", 1.0, least=0.01)
    timeout = target.number("timeout", 3 * interval, least=0.01)
    pings = target.switch("ping", True)

    async def late(connection: Connection, silent_at: float) -> bool:
        """Return True if the server is late: it has not read a frame that arrived in time."""
        for _ in range(2):  # the loop's first round finds the socket readable, the second reads it
            await asyncio.sleep(0)
        return connection.heard + timeout > silent_at

    async def watch(connection: Connection) -> None:
        ping_at = connection.loop.time()
        while True:
            now, silent_at = connection.loop.time(), connection.heard + timeout
            if now >= silent_at:
                if await late(connection, silent_at):
                    continue
                await connection.close(SILENT, f"nothing came for {timeout:g} seconds")
                return
            if pings and now >= ping_at:
                await connection.ping()
                ping_at = now + interval
            await connection.pause((min(ping_at, silent_at) if pings else silent_at) - now)

    async def play(connection: Connection) -> None:
        watching = asyncio.create_task(watch(connection))
        try:
            await _play_echo(connection)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await watching

    return play


def _subprotocol(target: RequestTarget) -> Play:
    _expect(target)

    async def play(connection: Connection) -> None:
        await connection.send(connection.subprotocol or "")
        await _play_echo(connection)

    return play
