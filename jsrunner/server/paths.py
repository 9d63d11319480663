"""What the server offers: the table of paths, and what each does with a connection."""

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
from jsrunner.server.connection import Refused
from jsrunner.server.feed import SYMBOLS, feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.server.connection import Connection, Play, Target

#: What /subprotocol can speak.
SUBPROTOCOLS: Final = ("chat.v2", "chat.v1", "json")
#: The close code of /heartbeat to a client that has fallen silent.
SILENT: Final = 4008
#: "No close frame" (RFC 6455 7.4.1): a code that is never sent.
_ABNORMAL: Final = 1006


@dataclass(frozen=True, slots=True)
class Path:
    """A WebSocket path: how it is written in full with its parameters' defaults, what it is for."""

    usage: str
    help: str
    #: Reads the request before the upgrade. Raises Refused.
    open: Callable[[Target], Play]

    @property
    def name(self) -> str:
        """Its first segment."""
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
        self._by_name = {one.name: one for one in self.table}

    def open(self, target: Target) -> Play:
        """What the request's path does. Raises Refused."""
        path = self._by_name.get(target.segments[0])
        if path is None:
            raise Refused(404, f"there is no path {target.path}: / lists those that there are")
        return path.open(target)

    def _chat(self, target: Target) -> Play:
        _expect(target, "room")
        return self._rooms.enter(target.segments[1], target.text("user", ""))


def _expect(target: Target, *more: str) -> None:
    """The path has such further segments, and no others. Raises Refused."""
    given = target.segments[1:]
    if len(given) != len(more) or not all(given):
        wanted = "/".join(["", target.segments[0], *more])
        raise Refused(404, f"there is no path {target.path}, perhaps {wanted}")


def _expect_echo(target: Target) -> None:
    if target.segments[1:] != ("echo",):
        raise Refused(404, f"there is no path {target.path}, perhaps /{target.segments[0]}/echo")


async def _play_echo(connection: Connection) -> None:
    async for message in connection:
        await connection.send(message)


def _echo(target: Target) -> Play:
    _expect(target)
    return _play_echo


def _push(target: Target) -> Play:
    _expect(target)
    symbols = [one for one in target.text("symbols", "").split(",") if one]
    return feed(
        rate=target.number("rate", 10.0),
        count=target.count("count", 0),
        size=target.count("size", 0),
        symbols=symbols or SYMBOLS,
    )


def _close(target: Target) -> Play:
    _expect(target, "code")
    given, reason = target.segments[1], target.text("reason", "")
    code = int(given) if given.isdecimal() else 0
    if code != _ABNORMAL:
        try:
            Close(code, reason).check()
        except ProtocolError as error:
            raise Refused(400, f"{target.path}: {error}") from None
        if len(reason.encode()) > 123:  # RFC 6455 5.5: a control frame has at most 125 bytes
            raise Refused(400, f"{target.path}: the reason has more than 123 bytes")

    async def play(connection: Connection) -> None:
        if code == _ABNORMAL:
            connection.drop()
        else:
            await connection.close(code, reason)

    return play


def _rpc(target: Target) -> Play:
    _expect(target)
    return rpc.play


def _binary(target: Target) -> Play:
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
            await connection.send(binary.encode(binary.answer(one) for one in records))

    return play


def _authorized(target: Target) -> Play:
    _expect_echo(target)
    tokens.user_of(target.headers.get("Authorization"), time.time())
    return _play_echo


def _signed(target: Target) -> Play:
    _expect_echo(target)
    user, timestamp, signature = map(target.headers.get, ("X-User", "X-Timestamp", "X-Signature"))
    tokens.check_signature(user, timestamp, signature, time.time())
    return _play_echo


def _flaky(target: Target) -> Play:
    _expect(target)
    seed = target.text("seed", "")
    most = target.count("most", 10, least=1)
    left = random.Random(seed or None).randint(1, most)

    async def play(connection: Connection) -> None:
        for _ in range(left):
            await connection.send(await connection.recv())
        connection.drop()

    return play


def _slow(target: Target) -> Play:
    _expect(target)
    delay = target.number("delay", 1.0)

    async def play(connection: Connection) -> None:
        async for message in connection:
            await connection.pause(delay)
            await connection.send(message)

    return play


def _heartbeat(target: Target) -> Play:
    _expect(target)
    interval = target.number("interval", 1.0, least=0.01)
    timeout = target.number("timeout", 3 * interval, least=0.01)
    pings = target.switch("ping", True)

    async def late(connection: Connection, silent_at: float) -> bool:
        """Whether it is the server that is late: what had come was not read yet."""
        for _ in range(2):  # the first turn of the loop looks for it, the second reads it
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


def _subprotocol(target: Target) -> Play:
    _expect(target)

    async def play(connection: Connection) -> None:
        await connection.send(connection.subprotocol or "")
        await _play_echo(connection)

    return play
