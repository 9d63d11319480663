"""k6/websockets against real sockets: how a connection ends."""

from __future__ import annotations

import socket as plain
import threading
import time
from typing import Any

import pytest
from servers import accept, drain, echo, frame, read_frame, read_request
from waiting import DEADLINE
from websockets_play import Play, Player, Recorder, beside, closing


@pytest.mark.parametrize(
    ("payload", "said", "reply"),
    [
        (b"\x03\xe8bye", [["close", 1000, "bye"]], b"\x03\xe8"),
        (b"\x03\xe9", [["close", 1001, ""]], b"\x03\xe9"),
        (b"", [["error", "websocket: close 1005 (no status)"], ["close", 1005, ""]], b""),
        (
            b"\x0f\xa0why",
            [["error", "websocket: close 4000: why"], ["close", 4000, "why"]],
            b"\x0f\xa0",
        ),
    ],
)
def test_closed_by_the_server(play: Player, payload: bytes, said: list[Any], reply: bytes) -> None:
    got: list[tuple[int, bytes]] = []

    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(closing(payload))
        got.append(read_frame(connection))
        assert connection.recv(1) == b""

    found = play(handle, "open();")
    assert found.said == ["open", *said]
    found.stage.until(lambda: got)
    assert got == [(0x88, reply)]
    assert "ws_msgs_sent" not in found.counts()


def test_the_answer_to_a_close_frame_is_not_buffered(play: Player) -> None:
    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(closing())
        drain(connection)

    found = play(handle, "const ws = open(); ws.onclose = () => log(ws.bufferedAmount);")
    assert found.said == ["open", 0, ["close", 1000, ""]]


def test_the_end_of_the_stream(play: Player) -> None:
    found = play(accept, "open();")
    assert found.said == [
        "open",
        ["error", "websocket: close 1006 (abnormal closure): unexpected EOF"],
        ["close", 1006, "unexpected EOF"],
    ]
    assert found.counts()["ws_session_duration"] == 1


def test_a_reset(play: Player) -> None:
    def handle(connection: plain.socket) -> None:
        accept(connection)
        read_frame(connection)
        connection.setsockopt(plain.SOL_SOCKET, plain.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    found = play(handle, "const ws = open(); ws.onopen = () => ws.send('x');")
    assert found.said == ["open", ["close", None, ""]]


@pytest.mark.parametrize(
    "bad", [b"\xc1\x01a", b"\x83\x01a", b"\x81\x81aaaab", b"\x89\x7e\x00\x80", b"\x80\x01a"]
)
def test_protocol_violations(play: Player, bad: bytes) -> None:
    got: list[tuple[int, bytes]] = []

    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(bad)
        got.append(read_frame(connection))

    found = play(handle, "open();")
    assert found.said == ["open", ["close", None, ""]]
    found.stage.until(lambda: got)
    assert got == [(0x88, b"\x03\xea")]


def test_a_refused_handshake_tells_why(play: Player) -> None:
    def handle(connection: plain.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nlater")

    found = play(
        handle,
        "const ws = open(); ws.onerror = (e) => log(Object.keys(e), e.status, e.headers['Retry-After'],"
        " e.body); ws.onclose = () => log(ws.readyState);",
    )
    assert found.said == [
        [["type", "target", "timestamp", "error"], 429, "7", "later"],
        ["error", "websocket: bad handshake"],
        3,
        ["close", None, ""],
    ]
    samples = found.stage.samples()
    assert set(samples) == {"ws_sessions", "ws_connecting", "data_sent", "data_received"}
    assert samples["ws_sessions"][0][0]["status"] == "429"
    assert found.stage.process.failed_handshakes == 1


def test_nobody_listens_there(play: Player) -> None:
    found = play(echo, "const ws = watch(new WebSocket('ws://127.0.0.1:1/x')); "
                 "ws.onerror = (e) => log(e.status);")  # fmt: skip
    assert found.said == [
        None, ["error", "dial tcp 127.0.0.1:1: connect: connection refused"], ["close", None, ""]
    ]  # fmt: skip


@pytest.mark.slow
def test_a_server_that_does_not_answer_close_is_left(play: Player) -> None:
    server = Recorder(answer=False)
    found = play(
        server,
        "const ws = open(); ws.onopen = () => { ws.close(3000); setTimeout(() => log(ws.readyState), 0); };",
    )
    text = "the server did not answer the close frame in time"
    assert found.said == ["open", 2, ["error", text], ["close", 1006, text]]
    assert server.frames == [(0x88, b"\x0b\xb8")]
    assert found.counts()["ws_session_duration"] == 1


@pytest.mark.slow
def test_a_server_that_reads_for_long_is_waited_for(play: Player) -> None:
    """The ten seconds begin anew while the server reads."""

    def handle(connection: plain.socket) -> None:
        accept(connection)
        time.sleep(11)
        while read_frame(connection)[0] != 0x88:
            pass
        connection.sendall(closing())
        drain(connection)

    script = "for (let i = 0; i < 160; i += 1) ws.send('x'.repeat(1 << 16)); ws.close();"
    found = play(handle, f"const ws = open(); ws.onopen = () => {{ {script} }};")
    assert found.said == ["open", ["close", 1000, ""]]


def test_a_rejection_sends_what_waits_and_a_close_frame(play: Player) -> None:
    """A stage that fails is no iteration: its sockets have no events any more."""
    server = Recorder()
    found = play(
        server,
        "const ws = open(); ws.onopen = () => {"
        " for (let i = 0; i < 20; i += 1) ws.send('x'.repeat(1 << 16)); Promise.reject('no'); };",
    )
    assert found.said == ["open"]
    found.stage.until(lambda: server.ends)
    assert [first for first, _ in server.frames] == [0x81] * 20 + [0x88]
    assert server.frames[-1][1] == b"\x03\xe8"


@pytest.mark.parametrize("refused", [False, True])
def test_closed_while_it_connects(prepare: Player, refused: bool) -> None:
    go_on = threading.Event()
    server = Recorder()

    def handle(connection: plain.socket) -> None:
        assert go_on.wait(DEADLINE)
        if refused:
            read_request(connection)
            connection.sendall(b"HTTP/1.1 403 No\r\n\r\n")
        else:
            server(connection)

    def meanwhile(play: Play) -> None:
        play.stage.until(lambda: "timer" in play.said)
        go_on.set()

    found = beside(
        prepare(
            handle,
            "const ws = open(); ws.close(3005, 'early'); log(ws.readyState); ws.close(5);"
            "setTimeout(() => log('timer'), 1);",
        ),
        meanwhile,
    )
    if refused:
        assert found.said == [2, "timer", ["error", "websocket: bad handshake"], ["close", None, ""]]
        assert found.counts() == {"ws_sessions": 1, "ws_connecting": 1}
    else:
        assert found.said[2:] == [["error", "websocket: close 3005: early"], ["close", 3005, "early"]]
        assert server.frames == [(0x88, b"\x0b\xbdearly")]
        assert found.counts()["ws_msgs_sent"] == 1


@pytest.mark.slow
def test_closed_while_it_connects_for_ever(play: Player) -> None:
    found = play(drain, "open().close();")
    assert found.said == [
        ["error", "closed before the connection was established"],
        ["close", None, ""],
    ]
    assert found.counts() == {"ws_sessions": 1, "ws_connecting": 1}


def test_messages_after_close_are_dropped(play: Player) -> None:
    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(frame(b"1") + frame(b"2") + frame(b"3") + frame(b"x" * 9000, 2))
        _, payload = read_frame(connection)
        connection.sendall(frame(b"late") + frame(b"p", 9) + closing(payload))
        drain(connection)

    found = play(
        handle,
        "const ws = open(); ws.onmessage = ({ data }) => { if (data === '2') ws.close(); };"
        "ws.onping = () => log('ping');",
    )
    assert found.said == ["open", ["message", "1"], ["message", "2"], "ping", ["close", 1000, ""]]
    assert found.counts()["ws_msgs_received"] == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("999", "InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be "
         "either 1000, or between 3000 and 4999. 999 is neither"),
        ("1000, 'é'.repeat(62)", "SyntaxError: Failed to execute 'close' on 'WebSocket': The message must "
         "not be greater than 123 bytes"),
    ],
)  # fmt: skip
def test_close_is_refused(play: Player, arguments: str, text: str) -> None:
    found = play(
        echo,
        f"const ws = new WebSocket(__ENV.URL); ws.onopen = () => {{ try {{ ws.close({arguments}); }}"
        " catch (e) { log(e.name, e.message, ws.readyState); } ws.close(4999, 'é'.repeat(61)); };"
        "ws.onclose = (e) => log(e.code, e.reason.length);",
    )
    assert found.said == [["GoError", text, 1], [4999, 61]]


@pytest.mark.parametrize("name", ["send", "ping"])
def test_only_an_open_socket_sends(play: Player, name: str) -> None:
    found = play(
        echo,
        f"const attempt = () => {{ try {{ ws.{name}('x'); log('sent'); }} catch (e) {{ log(e.message); }} }};"
        "const ws = new WebSocket(__ENV.URL); attempt(); ws.onopen = () => { attempt(); ws.close(); attempt();"
        "}; ws.onclose = attempt;",
    )
    assert found.said == ["InvalidStateError", "sent", "InvalidStateError", "InvalidStateError"]


@pytest.mark.parametrize(
    ("value", "name"),
    [("", "<nil>"), ("null", "<nil>"), ("5", "int64"), ("1.5", "float64"), ("true", "bool"), ("[]", "[]interface {}"),
     ("{}", "map[string]interface {}"), ("new DataView(new ArrayBuffer(1))", "map[string]interface {}")],
)  # fmt: skip
def test_what_cannot_be_sent(play: Player, value: str, name: str) -> None:
    found = play(
        echo,
        f"const ws = open(); ws.onopen = () => {{ try {{ ws.send({value}); }} catch (e) {{ log(e.message); }}"
        " ws.close(); };",
    )
    assert f"unsupported send type {name}" in found.said
