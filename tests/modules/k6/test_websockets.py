"""k6/websockets against real sockets, in the same process: connecting, sending, receiving, Blobs."""

from __future__ import annotations

import contextlib
import os
import socket as plain
import ssl
import threading
import zlib
from typing import TYPE_CHECKING

import pytest
import trustme
from in_process import Stage
from servers import accept, drain, echo, frame, header, read_frame
from websockets_play import Player, beside, closing, pushing

if TYPE_CHECKING:
    from pathlib import Path


# -- the life of a socket --------------------------------------------------------------------------------


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
        """
        const texts = ['', 'ä€😀', 'a\\0b', '\\0', 'x'.repeat(3000), 'é'.repeat(2048), 'y'.repeat(200000),
          JSON.stringify({ a: '\\n\\u2028' }), '\\ud800 half', 'é'.repeat(40000)];
        const ws = new WebSocket(__ENV.URL); let n = 0;
        ws.onopen = () => texts.forEach((text) => ws.send(text));
        ws.onmessage = ({ data }) => { const text = texts[n]; n += 1;
          if (data !== text) log(n - 1, data.slice(0, 9)); if (n === texts.length) ws.close(); };
        """,
    )
    assert found.said == [[8, "\ufffd half"]]
    assert found.counts()["ws_msgs_received"] == 10


def test_all_kinds_of_buffers_come_back(play: Player) -> None:
    found = play(
        echo,
        """
        const bytes = new Uint8Array([0, 255, 128, 10]); const big = new Uint8Array(300000).fill(7);
        const all = [bytes.buffer, bytes, bytes.subarray(1, 3), new Uint16Array([513]), new ArrayBuffer(0),
          big, new Blob(['b', bytes]), new Blob()];
        const ws = new WebSocket(__ENV.URL); let n = 0; ws.binaryType = 'arraybuffer';
        ws.onopen = () => { all.forEach((one) => ws.send(one)); bytes.fill(1); };
        ws.onmessage = ({ data }) => { n += 1; const view = new Uint8Array(data);
          log(view.length, view.length > 9 ? view.every((b) => b === 7) : view.join());
          if (n === all.length) ws.close(); };
        """,
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
        """
        const ws = new WebSocket(__ENV.URL); const before = Date.now();
        const show = (e) => { log(e.type, Object.keys(e).join(), e.target === ws,
            e.timestamp >= before - 2 && e.timestamp <= Date.now() + 2);
          for (const name of Object.keys(e)) try { e[name] = 1; log('set', name); } catch {}
          e.note = 'mine'; };
        ws.onopen = (e) => { show(e); ws.ping(); }; ws.onpong = (e) => { show(e); ws.send('x'); };
        ws.onmessage = (e) => { show(e); log(e.origin === ws.url); ws.close(4000); };
        ws.onerror = show; ws.onclose = show;
        """,
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
        """
        for (const ws of [new WebSocket(__ENV.URL), WebSocket(__ENV.URL)]) {
          log(Object.keys(ws)); log(ws instanceof WebSocket, WebSocket.OPEN);
          log(ws.readyState, ws.bufferedAmount, ws.protocol, ws.extensions, ws.binaryType);
          const own = Object.getOwnPropertyDescriptors(ws);
          log(Object.values(own).some((one) => one.configurable));
          log(typeof ws.onclose, ws.onclose());
          const handler = () => ws.close(); ws.onopen = handler;
          log(ws.onopen === handler, ws.onopen() === handler, ws.readyState); }
        """,
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


# -- pings -----------------------------------------------------------------------------------------------


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


# -- Blob ------------------------------------------------------------------------------------------------


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
        """
        const blob = new Blob(['hé', new Uint8Array([1, 2]), new DataView(new ArrayBuffer(3), 1, 1),
          Blob(['in']), new Uint16Array([3]).buffer], { type: 'a/b' });
        const reader = new Blob(['to ', 'read']).stream().getReader();
        return (async () => { log(blob.size, blob.type, (await blob.bytes()).join());
          const slices = [[], [3], [-4], [1, 3], [2, -6], [90], [0, 1, 'x/y'], [5, 2]];
          for (const one of slices) { const part = blob.slice(...one); log(part.size, part.type); }
          log(await reader.read(), await reader.read());
          const bytes = await blob.bytes(); bytes.fill(0); log((await blob.slice(0, 1).text()));
          log(await new Blob(['\\ud800']).text(), await new Blob([new Uint8Array([255])]).text());
          log(Object.keys(blob), new Blob().size, new Blob(null).size, new Blob([]).type); })();
        """,
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
