"""Every WebSocket path, over real sockets."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from waiting import DEADLINE
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.sync.client import ClientConnection, connect

from jsrunner.server import tokens
from jsrunner.server.paths import SILENT, Paths

if TYPE_CHECKING:
    from jsrunner.server.server import Addresses


def closed(connection: ClientConnection) -> tuple[int | None, str | None]:
    """Read until the connection ends; the close code (1006 without a close frame) and the reason."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            connection.recv(DEADLINE)
    return connection.protocol.close_code, connection.protocol.close_reason


def refused(url: str, **settings: Any) -> tuple[int, str]:
    """Status and text of an answer that is no upgrade."""
    with pytest.raises(InvalidStatus) as caught, connect(url, **settings):
        pass
    response = caught.value.response
    return response.status_code, (response.body or b"").decode()


@pytest.mark.parametrize("path", ["/echo", "/echo/", "", "/"])
def test_echo(server: Addresses, path: str) -> None:
    with connect(server.ws + path) as connection:
        for message in ("hello", "", "ünïcödé", "x" * 100_000, b"\x00\xff"):
            connection.send(message)
            assert connection.recv(DEADLINE) == message


def test_deflate_is_spoken_where_it_is_offered(server: Addresses) -> None:
    with connect(f"{server.ws}/echo") as connection:
        assert [type(one) for one in connection.protocol.extensions] == [PerMessageDeflate]
        connection.send("again " * 1000)
        assert connection.recv(DEADLINE) == "again " * 1000
    with connect(f"{server.ws}/echo", compression=None) as connection:
        assert connection.protocol.extensions == []


def test_push_sends_so_many_prices_and_closes(server: Addresses) -> None:
    with connect(f"{server.ws}/push?rate=1000&count=5&symbols=A,B") as connection:
        ticks = [json.loads(connection.recv(DEADLINE)) for _ in range(5)]
        assert closed(connection) == (1000, "")
    assert [one["seq"] for one in ticks] == [1, 2, 3, 4, 5]
    assert [one["symbol"] for one in ticks] == ["A", "B", "A", "B", "A"]
    assert all(set(one) == {"seq", "symbol", "price", "ts"} for one in ticks)
    assert all(abs(one["ts"] / 1000 - time.time()) < 60 for one in ticks)


def test_push_flat_out_and_padded(server: Addresses) -> None:
    with connect(f"{server.ws}/push?rate=0&count=500&size=200", compression=None) as connection:
        messages = [connection.recv(DEADLINE) for _ in range(500)]
    assert {len(one) for one in messages} == {200}
    assert json.loads(messages[-1])["seq"] == 500


def test_push_keeps_its_rate(server: Addresses) -> None:
    begun = time.monotonic()
    with connect(f"{server.ws}/push?rate=100&count=10") as connection:
        assert closed(connection)[0] == 1000
    assert time.monotonic() - begun >= 0.1


def test_push_quotes_symbols(server: Addresses) -> None:
    with connect(f"{server.ws}/push?rate=0&count=1&symbols=%22%5C") as connection:
        assert json.loads(connection.recv(DEADLINE))["symbol"] == '"\\'


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("rate=fast", "rate=fast is no number from 0 on"),
        ("rate=-1", "rate=-1 is no number from 0 on"),
        ("rate=nan", "rate=nan is no number from 0 on"),
        ("rate=inf", "rate=inf is no number from 0 on"),
        ("count=1.5", "count=1.5 is no whole number"),
    ],
)
def test_parameters_are_checked(server: Addresses, query: str, text: str) -> None:
    assert refused(f"{server.ws}/push?{query}") == (400, f"/push: {text}\n")


def test_chat_tells_everyone_in_the_room(server: Addresses) -> None:
    def note(connection: ClientConnection) -> dict[str, Any]:
        return json.loads(connection.recv(DEADLINE))

    room = f"{server.ws}/chat/a%20room"
    with connect(f"{room}?user=ann") as ann:
        assert note(ann) == {"type": "join", "room": "a room", "user": "ann", "members": 1}
        with connect(f"{room}?user=bob") as bob, connect(f"{server.ws}/chat/other") as elsewhere:
            joined = {"type": "join", "room": "a room", "user": "bob", "members": 2}
            assert note(ann) == joined
            assert note(bob) == joined
            guest = note(elsewhere)
            assert guest["user"].startswith("guest-")
            assert guest["members"] == 1
            bob.send('say "hé"')
            said = {"type": "message", "room": "a room", "user": "bob", "text": 'say "hé"'}
            assert note(bob) == said
            assert note(ann) == said
            bob.send(b"\xff")
            assert note(ann)["text"] == "\ufffd"
        assert note(ann) == {"type": "leave", "room": "a room", "user": "bob", "members": 1}
    with connect(f"{room}?user=cid") as cid:
        assert note(cid)["members"] == 1


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, "bye"), (1011, ""), (4321, "so be it")]
)
def test_close(server: Addresses, code: int, reason: str) -> None:
    with connect(f"{server.ws}/close/{code}?reason={reason.replace(' ', '+')}") as connection:
        assert closed(connection) == (code, reason)


def test_close_1006_drops_the_connection(server: Addresses) -> None:
    with connect(f"{server.ws}/close/1006") as connection:
        assert closed(connection) == (1006, "")


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("999", 400, "/close/999: invalid status code"),
        ("1005", 400, "/close/1005: invalid status code"),
        ("soon", 400, "/close/soon: invalid status code"),
        ("1000?reason=" + "x" * 124, 400, "/close/1000: the reason has more than 123 bytes"),
        ("", 404, "there is no path /close, perhaps /close/code"),
        ("1000/now", 404, "there is no path /close/1000/now, perhaps /close/code"),
    ],
)
def test_close_refuses(server: Addresses, path: str, status: int, text: str) -> None:
    assert refused(f"{server.ws}/close/{path}") == (status, f"{text}\n")


def test_rpc_requests_overtake_each_other(server: Addresses) -> None:
    with connect(f"{server.ws}/rpc") as connection:
        connection.send('{"jsonrpc":"2.0","id":1,"method":"sleep","params":[100]}')
        connection.send('{"jsonrpc":"2.0","id":"two","method":"add","params":[1,2]}')
        answers = [json.loads(connection.recv(DEADLINE)) for _ in range(2)]
    assert answers == [
        {"jsonrpc": "2.0", "id": "two", "result": 3},
        {"jsonrpc": "2.0", "id": 1, "result": 100},
    ]


def test_rpc_forgets_what_sleeps_when_the_client_goes(server: Addresses) -> None:
    with connect(f"{server.ws}/rpc") as connection:
        connection.send('{"id":1,"method":"sleep","params":[3600000]}')
        connection.send('{"id":2,"method":"echo","params":[]}')
        assert json.loads(connection.recv(DEADLINE))["id"] == 2
    # The server's end, which waits for all that it does, shows that nothing is left.


def test_binary(server: Addresses) -> None:
    with connect(f"{server.ws}/binary") as connection:
        connection.send(bytes.fromhex("00000007 01 0000002a 6869"))
        assert connection.recv(DEADLINE) == bytes.fromhex("00000007 81 0000002a 6869")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("text", "binary messages only"),
        (b"\x00\x00", "2 bytes are left at 0, too few for a record"),
        (b"\x00\x00\x00\x09\x01\x00\x00\x00\x01", "length 9 at 0 does not fit a message of 9 bytes"),
    ],
)
def test_binary_refuses(server: Addresses, message: str | bytes, reason: str) -> None:
    with connect(f"{server.ws}/binary") as connection:
        connection.send(message)
        assert closed(connection) == (1003, reason)


def test_auth(server: Addresses) -> None:
    token = tokens.issue("ann", time.time() + 60)
    headers = {"Authorization": f"Bearer {token}"}
    with connect(f"{server.ws}/auth/echo", additional_headers=headers) as connection:
        connection.send("let me in")
        assert connection.recv(DEADLINE) == "let me in"


def test_auth_without_a_token(server: Addresses) -> None:
    with pytest.raises(InvalidStatus) as caught, connect(f"{server.ws}/auth/echo"):
        pass
    assert caught.value.response.status_code == 401
    assert caught.value.response.headers["WWW-Authenticate"] == 'Bearer realm="jsrunner"'


def test_signed(server: Addresses) -> None:
    now = str(int(time.time() * 1000))
    signature = tokens.digest(f"ann:{now}").hex()
    headers = {"X-User": "ann", "X-Timestamp": now, "X-Signature": signature}
    with connect(f"{server.ws}/signed/echo", additional_headers=headers) as connection:
        connection.send("signed")
        assert connection.recv(DEADLINE) == "signed"
    headers["X-User"] = "bob"
    status, text = refused(f"{server.ws}/signed/echo", additional_headers=headers)
    assert (status, text) == (401, "the signature is wrong\n")


def test_flaky_drops_after_the_same_number_for_a_seed(server: Addresses) -> None:
    def answered(seed: int) -> int:
        count = 0
        with (
            connect(f"{server.ws}/flaky?most=5&seed={seed}") as connection,
            contextlib.suppress(ConnectionClosed),
        ):
            while True:
                connection.send("still there?")
                connection.recv(DEADLINE)
                count += 1
        assert connection.protocol.close_code == 1006
        return count

    counts = [answered(seed) for seed in range(12)]
    assert counts == [answered(seed) for seed in range(12)]
    assert set(counts) <= {1, 2, 3, 4, 5}
    assert len(set(counts)) > 1


def test_slow(server: Addresses) -> None:
    with connect(f"{server.ws}/slow?delay=0.05") as connection:
        begun = time.monotonic()
        connection.send("well?")
        assert connection.recv(DEADLINE) == "well?"
        assert time.monotonic() - begun >= 0.05


def test_any_handshake_can_be_slow(server: Addresses) -> None:
    begun = time.monotonic()
    with connect(f"{server.ws}/echo?handshake=0.05"):
        assert time.monotonic() - begun >= 0.05
    assert refused(f"{server.ws}/echo?handshake=x")[0] == 400


def test_heartbeat_pings_and_stays_with_those_that_answer(server: Addresses) -> None:
    with connect(f"{server.ws}/heartbeat?interval=0.02&timeout=2") as connection:
        # This client answers pings: nothing comes until it speaks, long after the timeout.
        with pytest.raises(TimeoutError):
            connection.recv(2.5)
        connection.send("still here")
        assert connection.recv(DEADLINE) == "still here"


def test_heartbeat_closes_on_the_silent(server: Addresses) -> None:
    with connect(f"{server.ws}/heartbeat?ping=false&timeout=0.1") as connection:
        assert closed(connection) == (SILENT, "nothing came for 0.1 seconds")


def test_heartbeat_hears_pings(server: Addresses) -> None:
    with connect(f"{server.ws}/heartbeat?ping=false&timeout=2") as connection:
        for _ in range(50):  # longer than the timeout
            assert connection.ping().wait(DEADLINE)
            with pytest.raises(TimeoutError):
                connection.recv(0.05)
        connection.send("still here")
        assert connection.recv(DEADLINE) == "still here"


def test_heartbeat_checks_its_parameters(server: Addresses) -> None:
    assert refused(f"{server.ws}/heartbeat?ping=maybe")[0] == 400
    assert refused(f"{server.ws}/heartbeat?interval=0")[0] == 400


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["chat.v1", "chat.v2"], "chat.v1"), (["soap", "json"], "json"), (["soap"], ""), (None, "")],
)
def test_subprotocol(server: Addresses, offered: Any, chosen: str) -> None:
    with connect(f"{server.ws}/subprotocol", subprotocols=offered) as connection:
        assert connection.recv(DEADLINE) == chosen
        assert (connection.subprotocol or "") == chosen


def test_other_paths_take_the_first_subprotocol(server: Addresses) -> None:
    with connect(f"{server.ws}/echo", subprotocols=["graphql-ws", "json"]) as connection:  # type: ignore[list-item]
        assert connection.subprotocol == "graphql-ws"


def test_unknown_paths(server: Addresses) -> None:
    assert refused(f"{server.ws}/nowhere") == (
        404,
        "there is no path /nowhere: / lists those that there are\n",
    )
    assert refused(f"{server.ws}/echo/more") == (404, "there is no path /echo/more, perhaps /echo\n")
    assert refused(f"{server.ws}/auth") == (404, "there is no path /auth, perhaps /auth/echo\n")


def test_names_are_unique() -> None:
    names = [one.name for one in Paths().table]
    assert len(set(names)) == len(names)
