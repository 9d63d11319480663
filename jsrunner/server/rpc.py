"""The path /rpc: JSON-RPC 2.0 with one request per message. Responses may overtake each other.

https://www.jsonrpc.org/specification
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from jsrunner.server.connection import Connection

_PARSE_ERROR: Final = -32700
_INVALID_REQUEST: Final = -32600
_METHOD_NOT_FOUND: Final = -32601
_INVALID_PARAMS: Final = -32602
#: The code of the method `error`: the first of the range for servers.
_SERVER_ERROR: Final = -32000
#: The largest number that `add` takes, so that sums are finite.
_MOST: Final = 1e300
#: The longest sleep, in milliseconds.
_LONGEST: Final = 3_600_000


class _Failure(Exception):
    """The error response to a request."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


async def play(connection: Connection) -> None:
    """Answer the requests of a connection, all of them concurrently."""

    async def reply(message: str | bytes) -> None:
        response = await answer(message)
        if response is not None:
            with contextlib.suppress(ConnectionClosed):
                await connection.send(response)

    tasks: set[asyncio.Task[None]] = set()
    try:
        async for message in connection:
            task = asyncio.create_task(reply(message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    finally:
        for task in tasks:
            task.cancel()


async def answer(message: str | bytes) -> str | None:
    """Return the response to a request; None for a notification, which is a request without an id."""
    number: Any = None
    try:
        request = _read(message)
        number = request.get("id")
        outcome = {"result": await _call(request["method"], request.get("params", []))}
        if "id" not in request:
            return None
    except _Failure as failure:
        outcome = {"error": {"code": failure.code, "message": str(failure)}}
    return json.dumps({"jsonrpc": "2.0", "id": number, **outcome}, separators=(",", ":"))


def _read(message: str | bytes) -> dict[str, Any]:
    """Parse a request."""
    try:
        request = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise _Failure(_PARSE_ERROR, f"parse error: {error}") from None
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        raise _Failure(_INVALID_REQUEST, "a request is an object with a method")
    return request


async def _call(method: str, params: Any) -> Any:
    """Return the result of a method."""
    if method == "echo":
        return params
    if method == "add":
        if not (isinstance(params, list) and all(_is_number(param, _MOST) for param in params)):
            raise _Failure(_INVALID_PARAMS, "add takes a list of numbers")
        return sum(params)
    if method == "sleep":
        if not (isinstance(params, list) and len(params) == 1 and _is_number(params[0], _LONGEST)):
            raise _Failure(_INVALID_PARAMS, "sleep takes a list of one number, milliseconds")
        await asyncio.sleep(params[0] / 1000)
        return params[0]
    if method == "error":
        has_text = isinstance(params, list) and params
        raise _Failure(_SERVER_ERROR, str(params[0]) if has_text else "an error was asked for")
    raise _Failure(_METHOD_NOT_FOUND, f"there is no method {method}")


def _is_number(value: object, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= most
