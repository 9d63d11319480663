"""Servers that are not there, or misbehave: the run goes on and ends on time."""

from __future__ import annotations

import socket
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from running import memory
from servers import accept, drain, frame, read_request, reserved_port
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process
    from servers import Server

    Run = Callable[..., Process]
    Serve = Callable[[Callable[[socket.socket], Any]], Server]

#: Tells everything that happens on a connection.
SCRIPT = """
import ws from 'k6/ws';
export const options = { iterations: 1 };
export default function () {
  const response = ws.connect(__ENV.URL, (socket) => {
    socket.on('open', () => console.log('open'));
    socket.on('message', (text) => console.log('message', text.length));
    socket.on('binaryMessage', (data) => console.log('binary', data.byteLength));
    socket.on('error', (error) => console.log('error', error.error()));
    socket.on('close', (code) => console.log('close', code));
    socket.setTimeout(() => socket.close(), 10000);
    %s
  });
  console.log('status', response.status, response.error);
}
"""

#: The same with k6/websockets.
EVENTS = """
import { WebSocket } from 'k6/websockets';
export const options = { iterations: 1 };
export default function () {
  const socket = new WebSocket(__ENV.URL);
  socket.onopen = () => console.log('open');
  socket.onmessage = ({ data }) => console.log('message', data.length ?? data.size);
  socket.onerror = ({ error }) => console.log('error', error);
  socket.onclose = ({ code }) => console.log('close', code);
}
"""


def events(run: Run, url: str, more: str = "") -> list[str]:
    done = run(SCRIPT % more, "-e", f"URL={url}")
    assert done.code == 0, done.stderr
    assert done.messages("error") == []
    assert "ws_sessions" in done.stdout
    return [record["msg"] for record in done.records() if record.get("source") == "console"]


def test_no_server(run: Run) -> None:
    with reserved_port() as port:
        assert events(run, f"ws://127.0.0.1:{port}") == [
            f"status 0 dial tcp 127.0.0.1:{port}: connect: connection refused"
        ]


def test_no_such_host(run: Run) -> None:
    [event] = events(run, "ws://nowhere.invalid/")
    assert event.startswith("status 0 lookup nowhere.invalid")
    assert event.endswith("no such host")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", "status 0 unexpected EOF"),
        (b"HTTP/1.1 101 Swi", "status 0 unexpected EOF"),
        (b"SSH-2.0-OpenSSH_9\r\n", 'status 0 malformed HTTP response "SSH-2.0-OpenSSH_9"'),
        (b"HTTP/1.1 101 OK\r\n\r\n", "status 101 "),
        (b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno", "status 401 "),
        (b"HTTP/1.1 500 No\r\nContent-Length: 2000\r\n\r\nno", "status 500 "),
    ],
)
def test_bad_handshake(run: Run, serve: Serve, answer: bytes, expected: str) -> None:
    def refuse(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    assert events(run, serve(refuse).url) == [expected]


def test_reset_in_the_handshake(run: Run, serve: Serve) -> None:
    def reset(connection: socket.socket) -> None:
        read_request(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    [event] = events(run, serve(reset).url)
    assert event.startswith("status 0 read")
    assert event.endswith("connection reset by peer")


def test_handshake_that_never_ends_is_interrupted(run: Run, serve: Serve) -> None:
    server = serve(drain)
    done = run(
        (SCRIPT % "").replace(
            "{ iterations: 1 }",
            """{ scenarios: { one: { executor: 'ramping-vus', startVUs: 1, gracefulStop: '0s',
              stages: [{ duration: '1s', target: 1 }] } } }""",
        ),
        "-e",
        f"URL={server.url}",
    )
    assert done.code == 0
    assert done.messages("info") == []
    assert server.accepted == 1
    until(lambda: server.open == 0, "the end of the connection")


INVALID = [
    b"\x83\x00",  # no such opcode
    b"\xc1\x01a",  # RSV1 without an extension
    b"\x81\x81\0\0\0\0a",  # masked
    b"\x89\x7e\x00\x7e" + bytes(126),  # too long a ping
    b"\x09\x00",  # a ping in pieces
    b"\x80\x01a",  # a continuation of nothing
    b"\x01\x01a\x81\x01b",  # a message in a message
    b"\x88\x02\x03\xe7",  # close code 999
    b"\x88\x04\x03\xe8\xff\xff",  # a reason that is no UTF-8
    b"\x81\xff" + b"\xff" * 8,  # a length without end
]


def test_invalid_frames(run: Run, serve: Serve) -> None:
    answers: list[bytes] = []

    def serve_rubbish(connection: socket.socket) -> None:
        accept(connection, rest=frame(b"before") + INVALID[len(answers)])
        answers.append(drain(connection))

    server = serve(serve_rubbish)
    done = run(
        SCRIPT.replace("iterations: 1", f"iterations: {len(INVALID)}") % "", "-e", f"URL={server.url}"
    )
    assert done.code == 0
    expected = ["open", "message 6", "error websocket: close sent", "close 1001", "status 101 "]
    assert done.messages() == expected * len(INVALID)
    until(lambda: len(answers) == len(INVALID), "the client's last frames")
    assert {one[:2] for one in answers} == {b"\x88\x82"}


def test_closing_at_once(run: Run, serve: Serve) -> None:
    server = serve(lambda connection: accept(connection))
    assert events(run, server.url) == [
        "open",
        "error websocket: close 1006 (abnormal closure): unexpected EOF",
        "close 1006",
        "status 101 ",
    ]


def test_reset_while_open(run: Run, serve: Serve) -> None:
    def reset(connection: socket.socket) -> None:
        accept(connection)
        connection.recv(64)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    found = events(run, serve(reset).url, "socket.on('open', () => socket.send('x'));")
    assert found[0] == "open"
    assert found[1].startswith("error write tcp 127.0.0.1:")
    assert found[2:] == ["close 1001", "status 101 "]


def test_close_that_is_never_answered(run: Run, serve: Serve) -> None:
    def ignore(connection: socket.socket) -> None:
        accept(connection)
        drain(connection)

    found = events(run, serve(ignore).url, "socket.on('open', () => socket.close());")
    assert found == ["open", "close 1001", "status 101 "]


def test_huge_messages(run: Run, serve: Serve) -> None:
    def send(connection: socket.socket) -> None:
        accept(connection)
        connection.sendall(frame(b"x" * (40 << 20)))
        connection.sendall(frame(b"y" * (40 << 20), 2))
        connection.sendall(frame(b"\x03\xe8", 8))
        drain(connection)

    assert events(run, serve(send).url) == [
        "open",
        f"message {40 << 20}",
        f"binary {40 << 20}",
        "close 1000",
        "status 101 ",
    ]


@pytest.mark.parametrize(
    "data", [frame(b"x" * 100), frame(b"x" * 9000), frame(b"", 9), frame(b"y" * 9000, 2)]
)
def test_server_that_sends_without_end(start: Run, serve: Serve, data: bytes) -> None:
    """A VU that is busy is not read from: memory stays bounded, and so does the server's sending."""
    sent = [0]

    def flood(connection: socket.socket) -> None:
        accept(connection)
        many = data * (1 + 100_000 // len(data))
        while True:
            sent[0] += connection.send(many)

    server = serve(flood)
    process = start(
        SCRIPT % "socket.on('open', () => { sleep(0.6); socket.close(); });".replace("sleep", "busy")
        + "\nimport { sleep } from 'k6';\nconst busy = (s) => { console.log('busy'); sleep(s); };",
        "-e",
        f"URL={server.url}",
    )
    process.wait_for("busy")
    before = max(map(memory, process.workers(1)))
    most = [before]

    def ended() -> bool:
        most.append(max(map(memory, process.others()), default=0))
        return process.said("close 1001")

    until(ended, "the end of the busy time")
    done = process.end()
    assert done.code == 0
    assert done.messages("info") == ["open", "busy", "close 1001", "status 101 "]
    assert max(most) - before < 64 << 20
    assert sent[0] < 64 << 20


def test_message_without_end(run: Run, serve: Serve) -> None:
    """Fragments of a message that never ends: at some size the connection fails, not the process."""

    def flood(connection: socket.socket) -> None:
        accept(connection)
        connection.sendall(frame(b"x", 2, final=False))
        piece = frame(bytes(1 << 20), 0, final=False)
        while True:
            connection.sendall(piece)

    found = events(run, serve(flood).url)
    assert found[0] == "open"
    text = "websocket: read limit exceeded: a message is too big, see --max-message-size"
    assert found[1:] == [f"error {text}", "close 1009", "status 101 "]


LIMITS = {
    "frame": (frame(b"x" * 70000), "a frame is too big, see --max-frame-size"),
    "binary frame": (frame(b"x" * 70000, 2), "a frame is too big, see --max-frame-size"),
    "message": (
        frame(b"x" * 60000, final=False) + frame(b"x" * 60000, 0),
        "a message is too big, see --max-message-size",
    ),
    "fragments": (
        frame(b"x", final=False) + frame(b"", 0, final=False) * (1 << 20),
        "a message has too many fragments",
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("module", ["ws", "websockets"])
def test_limits_of_what_a_server_sends(run: Run, serve: Serve, limit: str, module: str) -> None:
    """The message before is delivered; the text names the limit, and its option."""
    data, text = LIMITS[limit]

    def send(connection: socket.socket) -> None:
        accept(connection, rest=frame(b"x" * 60000) + data)
        drain(connection)

    done = run(
        (SCRIPT % "") if module == "ws" else EVENTS,
        "-e",
        f"URL={serve(send).url}",
        "--max-frame-size",
        "64KiB",
        env={"JSRUNNER_MAX_MESSAGE_SIZE": "100000"},
    )
    assert done.code == 0
    expected = ["open", "message 60000", f"error websocket: read limit exceeded: {text}", "close 1009"]
    assert done.messages() == expected + ["status 101 "] * (module == "ws")


def test_the_limit_of_inflated_messages(run: Run, serve: Serve) -> None:
    """A bomb of permessage-deflate."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)

    def send(connection: socket.socket) -> None:
        extension = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        rest = frame(bomb[:-4], 2, reserved=4)
        accept(connection, rest=rest, extra=f"Sec-WebSocket-Extensions: {extension}\r\n")
        drain(connection)

    done = run(SCRIPT % "", "-e", f"URL={serve(send).url}", env={"JSRUNNER_MAX_MESSAGE_SIZE": "10MB"})
    assert done.messages() == [
        "open",
        "error websocket: read limit exceeded: a message is too big, see --max-message-size",
        "close 1009",
        "status 101 ",
    ]


def test_handler_that_throws(run: Run, serve: Serve) -> None:
    def greet(connection: socket.socket) -> None:
        accept(connection, rest=frame(b"hello"))
        drain(connection)

    done = run(
        SCRIPT % "socket.on('message', () => { throw new RangeError('in the handler'); });",
        "-e",
        f"URL={serve(greet).url}",
    )
    assert done.code == 0
    assert done.messages("info") == ["open", "message 5", "close 1001"]
    [message] = done.messages("error")
    assert message.startswith("RangeError: in the handler\n\tat ")
    assert "script.js:" in message


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("message", "while (true) {}"),
        ("open", "try { while (true) {} } finally { for (;;); }"),
        ("close", "while (true) {}"),
    ],
)
def test_endless_handler(run: Run, serve: Serve, event: str, body: str) -> None:
    ended = []

    def greet(connection: socket.socket) -> None:
        accept(connection, rest=frame(b"hello") + frame(b"\x03\xe8", 8))
        drain(connection)
        ended.append(True)

    done = run(
        (SCRIPT % f"socket.on('{event}', () => {{ {body} }});").replace(
            "{ iterations: 1 }",
            """{ scenarios: { one: { executor: 'ramping-vus', startVUs: 1, gracefulStop: '0s',
              stages: [{ duration: '1s', target: 1 }] } } }""",
        ),
        "-e",
        f"URL={serve(greet).url}",
    )
    assert done.code == 0
    assert done.messages("error") == []
    assert not done.said("status")
    until(lambda: ended, "the end of the connection")


def test_thousands_of_sockets(run: Run, serve: Serve) -> None:
    """Beyond the limit of open files: said once, with the limit and the remedy, and the run goes on."""

    def keep(connection: socket.socket) -> None:
        accept(connection)
        drain(connection)

    done = run(
        """
        import ws from 'k6/ws';
        export const options = { vus: 150, iterations: 150 };
        export default function () {
          const response = ws.connect(__ENV.URL, (socket) => socket.setTimeout(() => socket.close(), 800));
          if (response.error) console.log(response.error);
        }
        """,
        "-e",
        f"URL={serve(keep).url}",
        "--workers",
        "2",
        prefix=("sh", "-c", 'ulimit -n 64 && exec "$@"', "sh"),
    )
    assert done.code == 0, done.stderr
    [message] = done.messages("error")
    assert "too many open files" in message
    assert "64" in message
    assert "ulimit -n" in message
    assert 30 < len(done.messages("info")) < 120
    assert "150" in done.stdout
