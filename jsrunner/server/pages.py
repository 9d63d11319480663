"""The server's HTTP pages: the list of paths, tokens, health."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from jsrunner.server import tokens
from jsrunner.server.connection import Rejection
from jsrunner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from websockets.http11 import Response

    from jsrunner.server.connection import Connection, RequestTarget
    from jsrunner.server.paths import Path

#: The default lifetime of tokens in seconds.
_TOKEN_LIFE: Final = 3600.0

#: The pages with their meanings, for the list.
PAGES: Final = (
    ("/", "this list"),
    ("/login?user=NAME&expires=3600", "a token for /auth/echo, as JSON; it lives for expires seconds"),
    ("/health", "ok"),
)


def answer(connection: Connection, target: RequestTarget, paths: Iterable[Path]) -> Response | None:
    """Return the response to a request that asks for no upgrade.

    Args:
        connection: The connection.
        target: The request's target.
        paths: The WebSocket paths, for the list.

    Returns:
        The response; None if there is no such page.

    Raises:
        Rejection: A parameter is wrong.
    """
    if target.path == "/":
        return connection.respond(200, listing(paths))
    if target.path == "/health":
        return connection.respond(200, "ok\n")
    if target.path == "/login":
        return _login(connection, target)
    return None


def rejection_response(connection: Connection, rejection: Rejection) -> Response:
    """Return the response of a rejected request."""
    response = connection.respond(rejection.status, f"{rejection}\n")
    for name, value in rejection.headers:
        response.headers[name] = value
    return response


def listing(paths: Iterable[Path]) -> str:
    """Return the list of paths and pages, one per line."""
    sockets = [(path.usage, path.help) for path in paths]
    width = max(len(usage) for usage, _ in (*sockets, *PAGES))
    lines = [f"jsrunner {__version__}", "", "WebSocket"]
    lines += [f"  {usage:{width}}  {help}" for usage, help in sockets]
    lines += ["", "  With handshake=SECONDS any of them delays its upgrade."]
    lines += ["", "HTTP"]
    lines += [f"  {usage:{width}}  {help}" for usage, help in PAGES]
    return "\n".join(lines) + "\n"


def _login(connection: Connection, target: RequestTarget) -> Response:
    user = target.text("user", "")
    if not user:
        raise Rejection(400, "/login: whose token? /login?user=NAME")
    life = target.number("expires", _TOKEN_LIFE)
    token = tokens.issue(user, time.time() + life)
    body = json.dumps({"user": user, "token": token, "expires_in": int(life)})
    response = connection.respond(200, body + "\n")
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response
