"""k6/websockets against real sockets: the event loop, failing handlers, interruptions."""

from __future__ import annotations

import contextlib
import socket as plain
import threading

import pytest
from servers import accept, drain, echo, frame, read_frame
from waiting import DEADLINE
from websockets_play import Play, Player, Recorder, beside, closing, pushing

# -- the event loop --------------------------------------------------------------------------------------


def test_several_sockets_interleave_as_their_messages_came(play: Player) -> None:
    turns = [threading.Event(), threading.Event()]

    def handle(connection: plain.socket) -> None:
        number = int(accept(connection).split(b" ")[1][-1:])
        read_frame(connection)
        if number == 0:
            connection.sendall(frame(b"sleep"))
            turns[0].set()
        for count in range(3):
            assert turns[number].wait(DEADLINE)
            turns[number].clear()
            connection.sendall(frame(f"{number}:{count}".encode()) + frame(b"", 9))
            read_frame(connection)  # the pong: it has arrived, though the VU sleeps
            turns[1 - number].set()
        connection.sendall(closing())
        drain(connection)

    found = play(
        handle,
        "const sockets = []; for (const n of [0, 1]) { const ws = new WebSocket(__ENV.URL + n);"
        "  ws.onopen = () => { if (sockets.push(ws) === 2) sockets.forEach((one) => one.send('both')); };"
        "  ws.onmessage = ({ data }) => { log(data); if (data === 'sleep') sleep(0.3); }; }",
    )
    assert found.stage.failure is None
    assert found.said == ["sleep", "0:0", "1:0", "0:1", "1:1", "0:2", "1:2"]


def test_the_iteration_lasts_until_everything_has_closed(play: Player) -> None:
    found = play(
        echo,
        "for (const delay of [30, 1, 15]) { const ws = new WebSocket(__ENV.URL);"
        "  ws.onopen = () => setTimeout(() => ws.close(), delay);"
        "  ws.onclose = () => setTimeout(() => log(delay), 1); }",
    )
    assert sorted(found.said) == [1, 15, 30]


@pytest.mark.slow
def test_a_server_that_does_not_read_holds_up_its_socket_only(prepare: Player) -> None:
    go_on = threading.Event()
    sizes: list[int] = []

    def handle(connection: plain.socket) -> None:
        connection.setsockopt(plain.SOL_SOCKET, plain.SO_RCVBUF, 65536)
        accept(connection)
        assert go_on.wait(DEADLINE)
        while True:
            first, payload = read_frame(connection)
            sizes.append(len(payload))
            if first == 0x88:
                connection.sendall(closing(payload))
                return

    play = prepare(
        handle,
        "const ws = open(); const data = new ArrayBuffer(1000000); ws.onopen = () => {"
        "  for (let i = 0; i < 12; i += 1) ws.send(data); log(ws.bufferedAmount);"
        "  const look = setInterval(() => { if (ws.bufferedAmount > 0) { log('timer'); return; }"
        "    clearInterval(look); log('all is out'); ws.close(); }, 5); };",
    )
    found = beside(play, lambda play: (play.stage.until(lambda: "timer" in play.said), go_on.set()))
    assert found.said[:3] == [12000000, "open", "timer"]
    assert found.said[-2:] == ["all is out", ["close", 1000, ""]]
    assert sizes == [1000000] * 12 + [2]
    assert found.counts()["ws_msgs_sent"] == 13


def test_a_vu_that_does_not_come_back_is_not_read_for(play: Player) -> None:
    count = 3 * 4096  # three times as many as a session reads ahead
    sent: list[int] = []

    def handle(connection: plain.socket) -> None:
        connection.setsockopt(plain.SOL_SOCKET, plain.SO_SNDBUF, 65536)
        accept(connection)
        connection.sendall(frame(b"sleep") + frame(b"", 9))
        read_frame(connection)
        for number in range(0, count, 64):
            texts = (str(one).ljust(200).encode() for one in range(number, number + 64))
            connection.sendall(b"".join(map(frame, texts)))
            sent.append(64)
        connection.sendall(closing())
        drain(connection)

    found = play(
        handle,
        "const ws = new WebSocket(__ENV.URL); let n = 0; ws.onmessage = ({ data }) => {"
        "  if (data === 'sleep') { log('sleeps'); sleep(0.5); log('awake'); return; }"
        "  if (Number(data) !== n) log('wrong', data); n += 1; };"
        "ws.onclose = () => log(n);",
    )
    assert found.said == ["sleeps", "awake", count]
    assert found.counts()["ws_msgs_received"] == count + 1


def test_messages_wait_for_a_handler_that_sleeps(play: Player) -> None:
    found = play(
        pushing(*(frame(str(number).encode()) for number in range(3))),
        "const ws = open(); let first; setTimeout(() => log('timer'), 10);"
        "ws.onmessage = (e) => { first ??= Date.now(); if (e.data === '0') sleep(0.1);"
        "  log(e.timestamp <= first + 1); };",
    )
    assert [one for one in found.said if one != "timer"] == [
        "open", True, ["message", "0"], True, ["message", "1"], True, ["message", "2"], ["close", 1000, ""],
    ]  # fmt: skip


@pytest.mark.slow
def test_many_sockets_of_one_vu(play: Player) -> None:
    found = play(
        echo,
        "let closed = 0; for (let i = 0; i < 150; i += 1) { const ws = new WebSocket(__ENV.URL);"
        "  ws.onopen = () => ws.send(`${i}`); ws.onmessage = (e) => { if (e.data !== `${i}`) log('wrong');"
        "    ws.close(); }; ws.onclose = () => { closed += 1; if (closed === 150) log(closed); }; }",
    )
    assert found.said == [150]
    assert found.counts() == {
        "ws_sessions": 150, "ws_connecting": 150, "ws_session_duration": 150, "ws_msgs_sent": 300,
        "ws_msgs_received": 150,
    }  # fmt: skip


# -- what goes wrong in handlers -------------------------------------------------------------------------


@pytest.mark.parametrize("type", ["open", "message"])
def test_a_handler_that_throws_takes_the_connection_with_it(play: Player, type: str) -> None:
    server = Recorder()

    def handle(connection: plain.socket) -> None:
        accept(connection, rest=frame(b"x"))
        with contextlib.suppress(EOFError):
            server.frames.append(read_frame(connection))
        server.ends.append("end")

    found = play(
        handle,
        f"const ws = open(); ws.on{type} = function handler() {{ setTimeout(() => {{}}, 9999);"
        "  throw new Error('boom'); }; ws.onclose = () => log(ws.readyState);",
    )
    assert found.stage.failure is not None
    assert found.stage.failure.startswith("Error: boom\n\tat handler (file://")
    error, state, close = found.said[-3:]
    assert error[0] == "error"
    assert error[1].startswith("Error: boom at handler (file://")
    assert (state, close) == (3, ["close", None, ""])
    assert found.stage.logged("warning") == []  # setup() is no iteration
    assert found.counts()["ws_session_duration"] == 1
    found.stage.until(lambda: server.ends)
    assert server.frames == []


def test_an_error_handler_that_throws(play: Player) -> None:
    found = play(
        pushing(end=closing(b"\x03\xf3")),
        "const ws = open(); ws.onerror = () => { throw new Error('boom'); };",
    )
    assert found.stage.failure is not None
    assert found.stage.failure.startswith("Error: boom")
    assert found.said == ["open"]


def test_a_close_handler_that_throws_leaves_others_to_the_end_of_the_iteration(play: Player) -> None:
    recorder = Recorder()

    def handle(connection: plain.socket) -> None:
        if recorder.ends:
            pushing()(connection)
        else:
            recorder.ends.append("taken")
            recorder(connection)

    found = play(
        handle,
        "const first = watch(new WebSocket(__ENV.URL)); first.onopen = () => {"
        "  const second = new WebSocket(__ENV.URL); second.onclose = () => { throw 'a text'; }; };",
    )
    assert found.stage.failure is not None
    assert found.stage.failure.startswith("a text\n\tat file:")
    assert found.said == [
        "open"
    ]  # setup() is no iteration, whose other sockets would have a close event
    found.stage.until(lambda: len(recorder.ends) == 2)
    assert recorder.frames == [(0x88, b"\x03\xe8")]


def test_a_rejection_that_nobody_handles_ends_everything(play: Player) -> None:
    recorder = Recorder()
    found = play(
        recorder,
        "const ws = open(); open(); setInterval(() => log('never'), 5000);"
        "ws.onopen = async () => { await null; await null; throw new Error('boom'); };",
    )
    assert found.stage.failure is not None
    assert found.stage.failure.startswith("Uncaught (in promise) Error: boom")
    assert all(one in ("open", ["close", 1000, ""]) for one in found.said)
    found.stage.until(lambda: found.server.open == 0)
    assert set(recorder.frames) <= {(0x88, b"\x03\xe8")}
    assert found.stage.process.sessions_open == 0


# -- interruption ----------------------------------------------------------------------------------------


def test_interrupted_sockets_say_good_bye(prepare: Player) -> None:
    recorder = Recorder(answer=False)

    def meanwhile(play: Play) -> None:
        play.stage.until(lambda: len(play.said) == 2)
        play.stage.vu.interrupt()

    found = beside(
        prepare(
            recorder,
            "open(); open().onmessage = () => {}; setTimeout(() => {}, 60000); setInterval(() => {}, 50000);",
        ),
        meanwhile,
    )
    assert found.stage.failure == "interrupted"
    assert found.said == ["open", "open"]
    found.stage.until(lambda: len(recorder.ends) == 2)
    assert recorder.frames == [(0x88, b"\x03\xe8")] * 2
    assert recorder.ends == ["end", "end"]
    assert found.stage.logged("warning") == [
        "setInterval 2 was stopped because the VU iteration was interrupted",
        "setTimeout 1 was stopped because the VU iteration was interrupted",
    ]
    assert found.stage.process.sessions_open == 0


def test_interrupted_while_it_connects(prepare: Player) -> None:
    def meanwhile(play: Play) -> None:
        play.stage.until(lambda: play.server.accepted == 1)
        play.stage.vu.interrupt()

    found = beside(prepare(drain, "open();"), meanwhile)
    assert found.stage.failure == "interrupted"
    assert found.said == []
    found.stage.until(lambda: found.server.open == 0)
    assert found.counts() == {}


def test_interrupted_while_the_server_does_not_read(prepare: Player) -> None:
    over = threading.Event()

    def handle(connection: plain.socket) -> None:
        accept(connection)
        over.wait(DEADLINE)

    def meanwhile(play: Play) -> None:
        play.stage.until(lambda: "open" in play.said)
        play.stage.vu.interrupt()

    found = beside(
        prepare(handle, "const ws = open(); ws.onopen = () => ws.send('x'.repeat(9000000));"), meanwhile
    )
    over.set()
    assert found.stage.failure == "interrupted"
    assert found.stage.process.sessions_open == 0
