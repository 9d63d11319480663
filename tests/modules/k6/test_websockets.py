"""k6/websockets against real sockets, in the same process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket as plain
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from in_process import Stage
from servers import Server, accept, drain, echo, frame, header, read_frame, read_request

from jsrunner.metrics.registry import BUILTIN
from jsrunner.options.model import Options

if TYPE_CHECKING:
    from pathlib import Path

    from running import Process

PROLOGUE = """
import { WebSocket, Blob } from 'k6/websockets';
import { sleep, group } from 'k6';
import exec from 'k6/execution';
const log = (...values) => console.log(JSON.stringify(values));
const watch = (ws) => {
  ws.addEventListener('open', () => log('open'));
  ws.addEventListener('message', (e) => log('message', e.data));
  ws.addEventListener('error', (e) => log('error', e.error));
  ws.addEventListener('close', (e) => log('close', e.code, e.reason));
  return ws;
};
const open = () => watch(new WebSocket(__ENV.URL));
"""


class Play:
    """setup() with this body, against a server."""

    def __init__(self, folder: Path, server: Server, body: str, **more: Any) -> None:
        environment = {"URL": server.url, **more.pop("environment", {})}
        source = f"{PROLOGUE}\nexport function setup() {{\n{body}\n}}"
        self.server = server
        self.stage = Stage(folder, source, environment=environment, **more)

    def run(self) -> Play:
        self.stage.run()
        return self

    @property
    def said(self) -> list[Any]:
        """Lines of `log`; of one with a single value that value."""
        lines = [json.loads(line) for line in self.stage.logged()]
        return [line[0] if len(line) == 1 else line for line in lines]

    def counts(self) -> dict[str, float]:
        """Sums of the counters, and how many values the trends have."""
        return {
            name: sum(len(value) if isinstance(value, list) else value for _, value in entries)
            for name, entries in self.stage.samples().items()
            if name.startswith("ws_")
        }


Player = Callable[..., Play]


@pytest.fixture
def prepare(tmp_path: Path, serve: Callable[[Callable[..., Any]], Server]) -> Player:
    def prepare(handle: Callable[[plain.socket], Any], body: str, **more: Any) -> Play:
        return Play(tmp_path, serve(handle), body, **more)

    return prepare


@pytest.fixture
def play(prepare: Player) -> Player:
    return lambda handle, body, **more: prepare(handle, body, **more).run()


def closing(payload: bytes = b"\x03\xe8") -> bytes:
    return frame(payload, 8)


def pushing(*frames: bytes, end: bytes = closing()) -> Callable[[plain.socket], None]:
    """A server that sends these frames in one piece and closes."""

    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(b"".join(frames) + end)
        drain(connection)

    return handle


class Recorder:
    """A server that keeps what comes, frame by frame, and answers close frames."""

    def __init__(self, *, answer: bool = True) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.ends: list[str] = []
        self.answer = answer

    def __call__(self, connection: plain.socket) -> None:
        accept(connection)
        try:
            while True:
                first, payload = read_frame(connection)
                self.frames.append((first, payload))
                if first == 0x88 and self.answer:
                    connection.sendall(closing(payload))
        except EOFError:
            self.ends.append("end")
        except OSError as error:
            self.ends.append(type(error).__name__)


# -- the life of a socket ----------------------------------------------------------------------------


def test_a_round_trip(play: Player) -> None:
    found = play(
        echo,
        "const ws = open(); log(ws.readyState);"
        "ws.onopen = () => { ws.send('hello'); log(ws.readyState); };"
        "ws.onmessage = () => { ws.close(); log(ws.readyState); };"
        "ws.onclose = () => log(ws.readyState); log('end of the function');",
    )
    assert found.said == [
        0, "end of the function", 1, "open", 2, ["message", "hello"], 3, ["close", 1000, ""],
    ]  # fmt: skip
    assert found.counts() == {
        "ws_sessions": 1,
        "ws_connecting": 1,
        "ws_msgs_sent": 2,
        "ws_msgs_received": 1,
        "ws_session_duration": 1,
    }
    assert found.stage.process.sessions_open == 0


def test_all_kinds_of_texts_come_back(play: Player) -> None:
    found = play(
        echo,
        "const texts = ['', 'ä€😀', 'a\\0b', '\\0', 'x'.repeat(3000), 'é'.repeat(2048), 'y'.repeat(200000),"
        "  JSON.stringify({ a: '\\n\\u2028' }), '\\ud800 half', 'é'.repeat(40000)];"
        "const ws = new WebSocket(__ENV.URL); let n = 0;"
        "ws.onopen = () => texts.forEach((text) => ws.send(text));"
        "ws.onmessage = ({ data }) => { const text = texts[n]; n += 1;"
        "  if (data !== text) log(n - 1, data.slice(0, 9)); if (n === texts.length) ws.close(); };",
    )
    assert found.said == [[8, "\ufffd half"]]
    assert found.counts()["ws_msgs_received"] == 10


def test_all_kinds_of_buffers_come_back(play: Player) -> None:
    found = play(
        echo,
        "const bytes = new Uint8Array([0, 255, 128, 10]); const big = new Uint8Array(300000).fill(7);"
        "const all = [bytes.buffer, bytes, bytes.subarray(1, 3), new Uint16Array([513]), new ArrayBuffer(0),"
        "  big, new Blob(['b', bytes]), new Blob()];"
        "const ws = new WebSocket(__ENV.URL); let n = 0; ws.binaryType = 'arraybuffer';"
        "ws.onopen = () => { all.forEach((one) => ws.send(one)); bytes.fill(1); };"
        "ws.onmessage = ({ data }) => { n += 1; const view = new Uint8Array(data);"
        "  log(view.length, view.length > 9 ? view.every((b) => b === 7) : view.join());"
        "  if (n === all.length) ws.close(); };",
    )
    assert found.said == [
        [4, "0,255,128,10"], [4, "0,255,128,10"], [2, "255,128"], [2, "1,2"], [0, ""], [300000, True],
        [5, "98,0,255,128,10"], [0, ""],
    ]  # fmt: skip


def test_what_a_handler_sends_leaves_in_order_and_in_one_piece(prepare: Player) -> None:
    pieces: list[bytes] = []

    def handle(connection: plain.socket) -> None:
        accept(connection)
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                pieces.append(piece)
                if piece.endswith(closing()[2:]) or len(pieces) == 1:
                    connection.sendall(closing())

    play = prepare(
        handle,
        "const ws = open(); ws.onopen = () => { ws.send('a'); ws.send(new ArrayBuffer(2)); ws.ping();"
        "  ws.send('b'.repeat(5000)); ws.close(3000, 'bye'); };",
    ).run()
    ours, theirs = plain.socketpair()
    with ours, theirs:
        theirs.sendall(pieces[0])
        theirs.shutdown(plain.SHUT_WR)
        frames = [read_frame(ours) for _ in range(5)]
    assert frames == [
        (0x81, b"a"),
        (0x82, b"\0\0"),
        (0x89, b"0"),
        (0x81, b"b" * 5000),
        (0x88, b"\x0b\xb8bye"),
    ]
    assert play.counts()["ws_msgs_sent"] == 5


def test_events_look_like_k6s(play: Player) -> None:
    found = play(
        echo,
        "const ws = new WebSocket(__ENV.URL); const before = Date.now();"
        "const show = (e) => { log(e.type, Object.keys(e).join(), e.target === ws,"
        "    e.timestamp >= before - 2 && e.timestamp <= Date.now() + 2);"
        "  for (const name of Object.keys(e)) try { e[name] = 1; log('set', name); } catch {}"
        "  e.note = 'mine'; };"
        "ws.onopen = (e) => { show(e); ws.ping(); }; ws.onpong = (e) => { show(e); ws.send('x'); };"
        "ws.onmessage = (e) => { show(e); log(e.origin === ws.url); ws.close(4000); };"
        "ws.onerror = show; ws.onclose = show;",
    )
    assert found.said == [
        ["open", "type,target,timestamp", True, True],
        ["pong", "type,target,timestamp", True, True],
        ["message", "type,target,timestamp,data,origin", True, True],
        True,
        ["error", "type,target,timestamp,error", True, True],
        ["close", "type,target,timestamp,code,reason", True, True],
    ]


def test_the_instance_looks_like_k6s(play: Player) -> None:
    found = play(
        echo,
        "for (const ws of [new WebSocket(__ENV.URL), WebSocket(__ENV.URL)]) {"
        "  log(Object.keys(ws)); log(ws instanceof WebSocket, WebSocket.OPEN);"
        "  log(ws.readyState, ws.bufferedAmount, ws.protocol, ws.extensions, ws.binaryType);"
        "  const own = Object.getOwnPropertyDescriptors(ws);"
        "  log(Object.values(own).some((one) => one.configurable));"
        "  log(typeof ws.onclose, ws.onclose());"
        "  const handler = () => ws.close(); ws.onopen = handler;"
        "  log(ws.onopen === handler, ws.onopen() === handler, ws.readyState); }",
    )
    one = [
        [
            "addEventListener", "send", "ping", "close", "url", "readyState", "bufferedAmount", "extensions",
            "protocol", "binaryType", "onmessage", "onerror", "onopen", "onclose", "onping", "onpong",
        ],
        [False, 1], [0, 0, "", [], "blob"], False, ["function", None], [False, True, 0],
    ]  # fmt: skip
    assert found.said == one * 2


def test_the_init_code_makes_no_sockets(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        "import { WebSocket } from 'k6/websockets';"
        "try { new WebSocket('ws://127.0.0.1:1/'); } catch (e) { console.log(`${e}`); }"
        "export function setup() {}",
    )
    assert set(stage.logged()) == {"GoError: using websockets in the init context is not supported"}


def test_a_missing_export_is_null_as_of_a_module_without_default(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        "import websockets, { WebSocket, Nothing } from 'k6/websockets';"
        "console.log(Nothing, websockets.WebSocket === WebSocket); export function setup() {}",
    )
    assert stage.logged()[-1] == "null true"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "WebSocket requires a url"),
        ("null", "WebSocket requires a url"),
        ("'ws://h:port/'", 'WebSocket requires valid url, but got "ws://h:port/" which resulted in parse '
         '"ws://h:port/": invalid port ":port" after host'),
        ("'http://h/'", 'WebSocket requires url with scheme ws or wss, but got "http"'),
        ("'ws://h/#x'", 'WebSocket requires no url fragment, but got "x"'),
        ("'ws://h/', null, { timeout: 1 }", "unknown WebSocket's option timeout"),
        ("'ws://h/', null, { compression: '' }",
         "unsupported compression algorithm '', supported algorithm is 'deflate'"),
        ("'ws://h/', null, { tags: { a: [] } }", "invalid WebSocket tags option: invalid value for metric "
         "tag 'a': only String, Boolean and Number types are accepted as a metric tag values"),
    ],
)  # fmt: skip
def test_arguments_that_are_refused(play: Player, arguments: str, text: str) -> None:
    found = play(echo, f"try {{ new WebSocket({arguments}); }} catch (e) {{ log(e.name, e.message); }}")
    assert found.said == [["GoError", text]]
    assert found.counts() == {}


def test_the_url_is_written_as_go_writes_it(play: Player) -> None:
    found = play(
        pushing(),
        "const ws = new WebSocket(__ENV.URL.replace('ws:', 'WS:') + 'ä b?q=1#'); log(ws.url === "
        "`${__ENV.URL}%C3%A4%20b?q=1`);",
    )
    assert found.said == [True]


def test_protocols_and_extensions(play: Player) -> None:
    offered: list[str] = []

    def handle(connection: plain.socket) -> None:
        request = accept(
            connection, extra="Sec-WebSocket-Protocol: two\r\nSec-WebSocket-Extensions: x\r\n"
        )
        offered.append(header(request, "Sec-WebSocket-Protocol"))
        connection.sendall(closing())
        drain(connection)

    found = play(
        handle,
        "for (const protocols of [['one', 'two'], 'two', 5, null]) {"
        "  const ws = new WebSocket(__ENV.URL, protocols); ws.onopen = () => log(ws.protocol, ws.extensions);"
        "}",
    )
    assert sorted(offered) == ["", "", "one, two", "two"]
    assert found.said == [["two", ["x"]]] * 4


def test_compression(play: Player) -> None:
    def handle(connection: plain.socket) -> None:
        accept(
            connection,
            extra="Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
            "client_no_context_takeover\r\n",
        )
        first, payload = read_frame(connection)
        assert first == 0xC1
        text = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(text * 2) + packer.flush(zlib.Z_SYNC_FLUSH)
        connection.sendall(frame(packed[:-4], reserved=4) + closing())
        drain(connection)

    found = play(
        handle,
        "const ws = watch(new WebSocket(__ENV.URL, null, { compression: 'deflate' }));"
        "ws.onopen = () => ws.send('squeeze '.repeat(3));",
    )
    assert found.said == ["open", ["message", "squeeze " * 6], ["close", 1000, ""]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_tls(play: Player, authority: trustme.CA, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def handle(connection: plain.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            echo(secure)

    certificate = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(certificate))
    os.environ["SSL_CERT_FILE"] = str(certificate)
    try:
        found = play(
            handle,
            "const ws = new WebSocket(__ENV.URL.replace('ws:', 'wss:')); let size = 0;"
            "ws.onopen = () => { ws.send('x'); ws.send('y'.repeat(3000000)); ws.send(new ArrayBuffer(99)); };"
            "ws.onerror = (e) => log(e.error); ws.binaryType = 'arraybuffer';"
            "ws.onmessage = ({ data }) => { log(data.length ?? data.byteLength);"
            "  if (data.byteLength) ws.close(); }; ws.onclose = (e) => log(e.code);",
        )
    finally:
        del os.environ["SSL_CERT_FILE"]
    assert found.said == [1, 3000000, 99, 1000]


def test_refused_certificates(play: Player, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def handle(connection: plain.socket) -> None:
        with contextlib.suppress(OSError):
            context.wrap_socket(connection, server_side=True)

    found = play(handle, "watch(new WebSocket(__ENV.URL.replace('ws:', 'wss:')));")
    assert found.said == [
        ["error", "tls: failed to verify certificate: x509: certificate signed by unknown authority"],
        ["close", None, ""],
    ]


# -- how it ends -------------------------------------------------------------------------------------


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


def beside(play: Play, meanwhile: Callable[[Play], None]) -> Play:
    """Run, and do something meanwhile."""
    running = play.stage.start()
    meanwhile(play)
    running.get(timeout=20)
    return play


@pytest.mark.parametrize("refused", [False, True])
def test_closed_while_it_connects(prepare: Player, refused: bool) -> None:
    go_on = threading.Event()
    server = Recorder()

    def handle(connection: plain.socket) -> None:
        assert go_on.wait(20)
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


# -- pings -------------------------------------------------------------------------------------------


def test_pings_and_pongs(play: Player) -> None:
    def handle(connection: plain.socket) -> None:
        accept(connection)
        for expected in (b"0", b"1"):
            assert read_frame(connection) == (0x89, expected)
            connection.sendall(frame(expected, 10))
        connection.sendall(frame(b"nobody's", 10) + frame(b"mine", 9))
        assert read_frame(connection) == (0x8A, b"mine")
        connection.sendall(closing())
        drain(connection)

    found = play(
        handle,
        "const ws = open(); ws.onopen = () => { ws.ping(); ws.ping('ignored'); };"
        "ws.onpong = (e) => log(e.type); ws.onping = (e) => log(e.type, e.data);",
    )
    assert found.said == ["open", "pong", "pong", "pong", ["ping", None], ["close", 1000, ""]]
    assert found.stage.logged("warning") == ["received pong for unknown ping ID nobody's"]
    assert found.counts()["ws_ping"] == 2
    assert "ws_msgs_received" not in found.counts()


def test_pings_are_answered_while_the_vu_is_busy(prepare: Player) -> None:
    answered = threading.Event()

    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(frame(b"x") + frame(b"there?", 9))
        assert read_frame(connection) == (0x8A, b"there?")
        answered.set()
        connection.sendall(closing())
        drain(connection)

    found = beside(
        prepare(handle, "const ws = open(); ws.onmessage = () => { sleep(0.2); log('slept'); };"),
        lambda play: play.stage.until(answered.is_set),
    )
    assert found.said == ["open", "slept", ["message", "x"], ["close", 1000, ""]]


# -- the event loop ----------------------------------------------------------------------------------


def test_several_sockets_interleave_as_their_messages_came(play: Player) -> None:
    turns = [threading.Event(), threading.Event()]

    def handle(connection: plain.socket) -> None:
        number = int(accept(connection).split(b" ")[1][-1:])
        read_frame(connection)
        if number == 0:
            connection.sendall(frame(b"sleep"))
            turns[0].set()
        for count in range(3):
            assert turns[number].wait(20)
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


def test_a_server_that_does_not_read_holds_up_its_socket_only(prepare: Player) -> None:
    go_on = threading.Event()
    sizes: list[int] = []

    def handle(connection: plain.socket) -> None:
        connection.setsockopt(plain.SOL_SOCKET, plain.SO_RCVBUF, 65536)
        accept(connection)
        assert go_on.wait(20)
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


# -- what goes wrong in handlers ---------------------------------------------------------------------


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
    assert found.stage.logged("warning") == [
        "setTimeout 1 was stopped because the VU iteration was interrupted"
    ]
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
    assert found.said == ["open", ["close", 1000, ""]]
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


# -- interruption ------------------------------------------------------------------------------------


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
        over.wait(20)

    def meanwhile(play: Play) -> None:
        play.stage.until(lambda: "open" in play.said)
        play.stage.vu.interrupt()

    found = beside(
        prepare(handle, "const ws = open(); ws.onopen = () => ws.send('x'.repeat(9000000));"), meanwhile
    )
    over.set()
    assert found.stage.failure == "interrupted"
    assert found.stage.process.sessions_open == 0


# -- metrics -----------------------------------------------------------------------------------------


def test_tags(play: Player) -> None:
    found = play(
        pushing(frame(b"x")),
        "exec.vu.metrics.tags.mine = 'early';"
        "group('made', () => new WebSocket(__ENV.URL, null, { tags: { own: 1, url: 'not this' } }));"
        "exec.vu.metrics.tags.mine = 'late';"
        "new WebSocket(__ENV.URL, null, { tags: { name: 'named' } });",
    )
    samples = found.stage.samples()
    url = found.server.url
    common = {"status": "101", "subproto": ""}
    expected = [
        {"group": "::setup::made", "mine": "early", "own": "1", "url": url, "name": url, **common},
        {"group": "::setup", "mine": "late", "url": "named", "name": "named", **common},
    ]
    for name in ("ws_sessions", "ws_connecting", "ws_msgs_received", "ws_session_duration"):
        tags = [one for one, _ in samples[name]]
        assert sorted(tags, key=lambda one: one["mine"]) == expected, name


def test_system_tags_can_be_left_out(play: Player) -> None:
    options = Options(system_tags=("ip",))
    found = play(pushing(), "new WebSocket(__ENV.URL);", options=options)
    assert found.stage.samples()["ws_sessions"] == [({"ip": "127.0.0.1"}, 1.0)]


class Lines:
    """An output that wants each sample."""

    def format(self, metric: Any, tags: Any, metadata: Any) -> Lines:
        self.metric = metric
        line = Lines()
        line.metric = metric
        return line

    def line(self, time_s: float, value: float) -> bytes:
        return f"{self.metric.name} {time_s} {value}\n".encode()


def test_each_sample_has_its_time(play: Player) -> None:
    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(frame(b"1") + frame(b"2") + frame(b"3") + frame(b"4"))
        assert read_frame(connection)[0] == 0x81
        _, payload = read_frame(connection)
        connection.sendall(closing(payload))
        drain(connection)

    before = time.time()
    found = play(
        handle,
        "const ws = new WebSocket(__ENV.URL); ws.onmessage = (e) => { if (e.data === '1') sleep(0.05);"
        "  if (e.data === '3') { ws.send('x'); ws.close(); } };",
        formatters=(Lines(),),
    )
    _, _, lines = found.stage.process.recorder.collect()
    samples: dict[str, list[float]] = {}
    for line in lines[0].decode().splitlines():
        name, at, value = line.split(" ")
        samples.setdefault(name, []).append(float(at))
        assert name in BUILTIN
        assert float(value) == 1 or not name.startswith("ws_msgs")
    received, sent = samples["ws_msgs_received"], samples["ws_msgs_sent"]
    assert len(received) == 3  # the fourth came behind close()
    assert len(set(received)) == 1  # one packet
    assert len(sent) == 2
    assert before - 1 < received[0] < sent[0] - 0.04 < sent[1] <= samples["ws_session_duration"][0]


def test_open_sessions_are_reported_meanwhile(prepare: Player) -> None:
    counts: list[dict[str, float]] = []

    def meanwhile(play: Play) -> None:
        play.stage.until(lambda: "back" in play.said)
        play.stage.process.engine.library.core_sessions_count()
        counts.append(play.counts())
        play.stage.vu.interrupt()

    beside(
        prepare(
            echo, "const ws = open(); ws.onopen = () => ws.send('x'); ws.onmessage = () => log('back');"
        ),
        meanwhile,
    )
    assert counts[0]["ws_msgs_sent"] == counts[0]["ws_msgs_received"] == 1


# -- Blob --------------------------------------------------------------------------------------------


def test_binary_messages_are_blobs(play: Player) -> None:
    found = play(
        echo,
        "const ws = new WebSocket(__ENV.URL); let n = 0; ws.onopen = () => ws.send(new Uint8Array([72, 105]));"
        "ws.onmessage = async ({ data }) => { n += 1; log(data instanceof Blob, data.size, `${data}`);"
        "  log(await data.text(), Array.from(await data.bytes()), (await data.arrayBuffer()).byteLength);"
        "  if (n === 1) ws.send(data); else ws.close(); };",
    )
    assert found.said == [[True, 2, "[object Blob]"], ["Hi", [72, 105], 2]] * 2


def test_blobs(play: Player) -> None:
    found = play(
        echo,
        "const blob = new Blob(['hé', new Uint8Array([1, 2]), new DataView(new ArrayBuffer(3), 1, 1),"
        "  Blob(['in']), new Uint16Array([3]).buffer], { type: 'a/b' });"
        "const reader = new Blob(['to ', 'read']).stream().getReader();"
        "return (async () => { log(blob.size, blob.type, (await blob.bytes()).join());"
        "  const slices = [[], [3], [-4], [1, 3], [2, -6], [90], [0, 1, 'x/y'], [5, 2]];"
        "  for (const one of slices) { const part = blob.slice(...one); log(part.size, part.type); }"
        "  log(await reader.read(), await reader.read());"
        "  const bytes = await blob.bytes(); bytes.fill(0); log((await blob.slice(0, 1).text()));"
        "  log(await new Blob(['\\ud800']).text(), await new Blob([new Uint8Array([255])]).text());"
        "  log(Object.keys(blob), new Blob().size, new Blob(null).size, new Blob([]).type); })();",
    )
    assert found.said == [
        [12, "a/b", "104,195,169,1,2,0,0,0,105,110,3,0"],
        [12, ""], [9, ""], [4, ""], [2, ""], [4, ""], [0, ""], [1, "x/y"], [0, ""],
        [{"done": False, "value": "to read"}, {"done": False, "value": ""}],
        "h", ["\ufffd", "\ufffd"], [["size", "type"], 0, 0, ""],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("'text'", "failed to process [blobParts]: could not convert text to []interface {}"),
        ("[5]", "failed to process [blobParts]: unsupported type: int64"),
        ("[[]]", "failed to process [blobParts]: unsupported type: []interface {}"),
        ("['x'], null", "[options] must be an object"),
    ],
)
def test_what_blobs_are_not_made_of(play: Player, arguments: str, text: str) -> None:
    found = play(echo, f"try {{ new Blob({arguments}); }} catch (e) {{ log(e.name, e.message); }}")
    assert found.said == [["GoError", text]]


# -- scripts that change the language's own objects --------------------------------------------------

CHANGED = """
import {{ WebSocket, Blob }} from 'k6/websockets';
const {{ ownKeys, deleteProperty }} = Reflect;
const without = (all) => {{
  for (let i = 0; i < all.length; i += 1) {{
    const names = ownKeys(all[i]);
    for (let j = 0; j < names.length; j += 1) {{
      if (names[j] !== 'constructor' && names[j] !== 'concat') deleteProperty(all[i], names[j]);
    }}
  }}
}};
const bytes = new Uint8Array(3);
{change};
export function setup() {{
  const ws = new WebSocket(__ENV.URL, ['a'], {{ tags: {{ t: 1 }}, headers: {{ 'X-A': 'b' }} }});
  let n = 0;
  ws.addEventListener('open', function () {{
    ws.send('text'); ws.send(bytes); ws.send(new Blob(['blob', bytes])); ws.ping();
    console.log(ws.bufferedAmount, ws.readyState);
  }});
  ws.addEventListener('message', function () {{}});
  ws.onmessage = async function (e) {{
    n += 1;
    console.log(e.data.size, n === 3 ? await e.data.text() : e.data);
    if (n === 3) ws.close(3000, 'é');
  }};
  ws.onpong = function (e) {{ console.log(e.type); }};
  ws.onerror = function (e) {{ console.log(e.error); }};
  ws.onclose = function (e) {{ console.log(e.code, e.reason); }};
  setTimeout(function () {{ console.log('timer'); }}, 60);
}}
"""


@pytest.mark.parametrize(
    "change",
    [
        "",
        "without([Array.prototype])",
        "without([String.prototype, Object.prototype, Number.prototype])",
        "without([Object, Array, String, Number, Math, JSON, Reflect])",
        "without([Promise, Map.prototype, WeakMap.prototype, Set.prototype])",
        "without([ArrayBuffer, Uint8Array, Object.getPrototypeOf(Uint8Array), Function.prototype])",
        "Array.prototype[Symbol.iterator] = function () { throw 'mine'; }",
        "Object = Array = String = Number = Symbol = Function = Promise = Map = WeakMap = Math = JSON = null",
        "ArrayBuffer = Uint8Array = DataView = null",
        "Object.prototype.get = () => 5; Object.prototype.enumerable = false; Object.prototype.then = null",
    ],
)
def test_changed_globals(
    tmp_path: Path, serve: Callable[[Callable[..., Any]], Server], change: str
) -> None:
    source = CHANGED.format(change=change)
    stage = Stage(tmp_path, source, environment={"URL": serve(echo).url}).run()
    assert stage.failure is None
    assert sorted(stage.logged()) == sorted(
        ["14 1", "undefined text", '3 { size: 3, type: "" }', "pong", "7 blob\0\0\0", "websocket: close 3000: é",
         "3000 é", "timer"]
    )  # fmt: skip


# -- whole runs --------------------------------------------------------------------------------------

Start = Callable[..., "Process"]

WAITING = """
import { WebSocket } from 'k6/websockets';
import exec from 'k6/execution';
export const options = { scenarios: { one: OPTIONS } };
export default function () {
  const ws = new WebSocket(__ENV.URL);
  ws.onopen = () => { console.log('open'); if (__ENV.ABORT) exec.test.abort('enough'); };
  ws.onclose = () => console.log('never');
}
export function teardown() { console.log('teardown'); }
"""
ONE = "{ executor: 'per-vu-iterations', vus: 1 }"


def test_the_end_of_the_test_closes_sockets(
    start: Start, serve: Callable[[Callable[..., Any]], Server]
) -> None:
    recorder = Recorder()
    options = "{ executor: 'constant-vus', vus: 5, duration: '1s', gracefulStop: '0s' }"
    run = start(
        WAITING.replace("OPTIONS", options), "-e", f"URL={serve(recorder).url}", "--workers", "2"
    ).end()
    assert run.code == 0
    assert sorted(run.messages("info")) == ["open"] * 5 + ["teardown"]
    assert recorder.frames == [(0x88, b"\x03\xe8")] * 5


def test_interrupted_by_a_signal(start: Start, serve: Callable[[Callable[..., Any]], Server]) -> None:
    recorder = Recorder(answer=False)
    run = start(WAITING.replace("OPTIONS", ONE), "-e", f"URL={serve(recorder).url}")
    run.wait_for("open")
    run.signal(signal.SIGINT)
    assert run.end().code == 105
    assert run.messages("info") == ["open", "teardown"]
    assert recorder.frames == [(0x88, b"\x03\xe8")]


def test_aborted_by_a_handler(start: Start, serve: Callable[[Callable[..., Any]], Server]) -> None:
    recorder = Recorder(answer=False)
    run = start(
        WAITING.replace("OPTIONS", ONE), "-e", f"URL={serve(recorder).url}", "-e", "ABORT=1"
    ).end()
    assert run.code == 108
    assert run.messages("info") == ["open", "teardown"]
    assert recorder.frames == [(0x88, b"\x03\xe8")]


def test_after_a_failed_iteration_the_next_begins_anew(
    start: Start, serve: Callable[[Callable[..., Any]], Server]
) -> None:
    server = serve(echo)
    run = start(
        """
        import { WebSocket } from 'k6/websockets';
        let sockets = [];
        export default function () {
          console.log(sockets.map((one) => one.readyState).join());
          sockets = [0, 1].map(() => new WebSocket(__ENV.URL));
          for (const one of sockets) one.onopen = () => one.send('x');
          sockets[1].onmessage = () => { setTimeout(() => console.log('never'), 50); throw new Error('boom'); };
          if (__ITER === 2) sockets.forEach((one) => { one.onmessage = () => one.close(); });
        }
        """,
        "-e", f"URL={server.url}", "--iterations", "3",
    ).end()  # fmt: skip
    assert run.code == 0
    assert run.messages("info") == ["", "3,3", "3,3"]
    assert [one.split("\n")[0] for one in run.messages("error")] == ["Error: boom"] * 2
    assert run.messages("warning") == [
        f"setTimeout {number} was stopped because the VU iteration was interrupted" for number in (1, 2)
    ]
    assert server.accepted == 6


def test_the_old_name_warns_once(start: Start, serve: Callable[[Callable[..., Any]], Server]) -> None:
    run = start(
        """
        import websockets, { WebSocket, Blob } from 'k6/experimental/websockets';
        import { WebSocket as current } from 'k6/websockets';
        export default function () {
          console.log(WebSocket === current, websockets.Blob === Blob);
          new WebSocket(__ENV.URL);
        }
        """,
        "-e", f"URL={serve(pushing()).url}", "--vus", "3", "--iterations", "3", "--workers", "2",
    ).end()  # fmt: skip
    assert run.code == 0
    assert run.messages("info") == ["true true"] * 3
    assert run.messages("warning") == [
        "k6/experimental/websockets is deprecated and will be removed in a future release. "
        "Please use k6/websockets instead."
    ]


@pytest.mark.parametrize(
    "hog",
    [
        "const again = () => { if (Date.now() < end) setTimeout(again, 0); }; again();",
        "(async () => { while (Date.now() < end) await null; })();",
        "const id = setInterval(() => { if (Date.now() >= end) clearInterval(id); }, 0);",
    ],
)
def test_who_is_always_busy_lets_others_work(
    start: Start, serve: Callable[[Callable[..., Any]], Server], hog: str
) -> None:
    run = start(
        f"""
        import {{ WebSocket }} from 'k6/websockets';
        export default function () {{
          const end = Date.now() + 1500;
          if (__VU === 1) {{ {hog} }}
          const ws = new WebSocket(__ENV.URL);
          let count = 0;
          ws.onopen = () => ws.send('x');
          ws.onmessage = () => {{ count += 1; if (count < 20) ws.send('x'); else ws.close(); }};
          ws.onclose = () => {{ if (__VU === 2) console.log(Date.now() < end); }};
        }}
        """,
        "-e", f"URL={serve(echo).url}", "--vus", "2", "--iterations", "2", "--workers", "1",
    ).end()  # fmt: skip
    assert run.code == 0
    assert run.messages("info") == ["true"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("'x'", "unknown WebSocket's option 0"),
        ("['x']", "unknown WebSocket's option 0"),
        ("5", "made"),
        ("true", "made"),
        ("''", "made"),
    ],
)
def test_options_that_are_no_object(tmp_path: Path, options: str, said: str) -> None:
    stage = Stage(
        tmp_path,
        f"""
        import {{ WebSocket }} from 'k6/websockets';
        export function setup() {{
          try {{
            new WebSocket('ws://127.0.0.1:1', null, {options}).onerror = () => {{}};
            console.log('made');
          }} catch (e) {{
            console.log(e.message);
          }}
        }}
        export default function () {{}}
        """,
    ).run()
    assert stage.logged() == [said]
