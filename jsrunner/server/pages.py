"""What the server answers to plain HTTP: the list of paths, tokens, its health."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from jsrunner.server import tokens
from jsrunner.server.connection import Refused
from jsrunner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from websockets.http11 import Response

    from jsrunner.server.connection import Connection, Target
    from jsrunner.server.paths import Path

_TOKEN_LIFE: Final = 3600.0

#: Path and what it is for, as in `paths`.
PAGES: Final = (
    ("/", "this list"),
    ("/login?user=NAME&expires=3600", "a token for /auth/echo, as JSON; it lives for expires seconds"),
    ("/health", "ok"),
)


def answer(connection: Connection, target: Target, paths: Iterable[Path]) -> Response | None:
    """The answer to a request that asks for no upgrade; None without such a page. Raises Refused."""
    if target.path == "/":
        return connection.respond(200, listing(paths))
    if target.path == "/health":
        return connection.respond(200, "ok\n")
    if target.path == "/login":
        return _login(connection, target)
    return None


def refusal(connection: Connection, refused: Refused) -> Response:
    response = connection.respond(refused.status, f"{refused}\n")
    for name, value in refused.headers:
        response.headers[name] = value
    return response


def listing(paths: Iterable[Path]) -> str:
    """The paths, one a line, for people."""
    sockets = [(one.usage, one.help) for one in paths]
    width = max(len(usage) for usage, _ in (*sockets, *PAGES))
    lines = [f"jsrunner {__version__}", "", "WebSocket"]
    lines += [f"  {usage:{width}}  {help}" for usage, help in sockets]
    lines += ["", "  Any of them with handshake=SECONDS: the upgrade takes so long."]
    lines += ["", "HTTP"]
    lines += [f"  {usage:{width}}  {help}" for usage, help in PAGES]
    return "\n".join(lines) + "\n"


def _login(connection: Connection, target: Target) -> Response:
    user = target.text("user", "")
    if not user:
        raise Refused(400, "/login: whose token? /login?user=NAME")
    life = target.number("expires", _TOKEN_LIFE)
    token = tokens.issue(user, time.time() + life)
    body = json.dumps({"user": user, "token": token, "expires_in": int(life)})
    response = connection.respond(200, body + "\n")
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response
