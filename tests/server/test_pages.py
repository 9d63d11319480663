from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from waiting import DEADLINE
from websockets.sync.client import connect

if TYPE_CHECKING:
    from jsrunner.server.server import Addresses


def get(url: str) -> tuple[int, str, str]:
    """Status, content type, body."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_the_list_names_every_path(server: Addresses) -> None:
    status, kind, body = get(f"{server.http}/")
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    for path in (
        "/echo",
        "/push?",
        "/chat/",
        "/close/",
        "/rpc",
        "/binary",
        "/auth/echo",
        "/signed/echo",
    ):
        assert f"\n  {path}" in body
    for path in ("/flaky", "/slow", "/heartbeat", "/subprotocol", "/login", "/health"):
        assert f"\n  {path}" in body


def test_health(server: Addresses) -> None:
    assert get(f"{server.http}/health") == (200, "text/plain; charset=utf-8", "ok\n")


def test_login_gives_a_token_that_lets_in(server: Addresses) -> None:
    status, kind, body = get(f"{server.http}/login?user=ann&expires=60")
    assert (status, kind) == (200, "application/json")
    login = json.loads(body)
    assert (login["user"], login["expires_in"]) == ("ann", 60)
    headers = {"Authorization": f"Bearer {login['token']}"}
    with connect(f"{server.ws}/auth/echo", additional_headers=headers) as connection:
        connection.send("in")
        assert connection.recv(DEADLINE) == "in"


@pytest.mark.parametrize("query", ["", "?user=", "?user=a&expires=soon"])
def test_login_refuses(server: Addresses, query: str) -> None:
    assert get(f"{server.http}/login{query}")[0] == 400


def test_a_socket_path_wants_an_upgrade(server: Addresses) -> None:
    assert get(f"{server.http}/echo")[0] == 426


def test_no_such_page(server: Addresses) -> None:
    assert get(f"{server.http}/nowhere")[0] == 404
