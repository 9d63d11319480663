"""k6/net/grpc with servers that break off, refuse, stall and break the rules of HTTP/2.

The statuses were recorded with k6; where k6 hangs, jsrunner ends the call.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest
from ngh2 import Connection, DataReceived, NGH2Error, RequestReceived, Role, Setting, StreamReset
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from running import Process

    Run = Callable[..., Process]
    Answer = Callable[["Peer", int], Any]
    Serve = Callable[..., "Server"]

PROTO = """
syntax = "proto3";
package t;
message M { string text = 1; bytes data = 2; }
service S {
  rpc Call(M) returns (M);
  rpc Down(M) returns (stream M);
  rpc Both(stream M) returns (stream M);
}
"""
HEAD = ((b":status", b"200"), (b"content-type", b"application/grpc"))
OK = ((b"grpc-status", b"0"),)
#: A message whose text is `hi`.
HI = b"\x0a\x02hi"
RST_STREAM, GOAWAY = 3, 7


def prefixed(message: bytes) -> bytes:
    return b"\0" + struct.pack(">I", len(message)) + message


def frame(kind: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, 0)) + stream.to_bytes(4, "big") + payload


class Peer:
    """One connection of the server."""

    def __init__(self, server: Server, connection: socket.socket) -> None:
        self.server = server
        self.socket = connection
        self.protocol = Connection(Role.SERVER)
        self.protocol.initiate_connection(server.settings)
        self.bodies: dict[int, bytearray] = {}

    def flush(self, more: bytes = b"") -> None:
        self.socket.sendall(self.protocol.data_to_send() + more)

    def reply(self, stream: int, *messages: bytes, trailers: Any = OK) -> None:
        self.protocol.send_response(stream, HEAD)
        self.protocol.send_data(stream, b"".join(map(prefixed, messages)))
        self.protocol.send_trailers(stream, trailers)

    def serve(self) -> None:
        self.flush()
        while data := self.socket.recv(65536):
            self.protocol.receive_data(data)
            for event in self.protocol.events():
                if isinstance(event, RequestReceived):
                    self.bodies[event.stream_id] = bytearray()
                    self.server.began(self, event.stream_id)
                elif isinstance(event, DataReceived):
                    self.bodies[event.stream_id] += event.data
                    if event.end_stream and self.server.answer(self, event.stream_id) == "close":
                        return
                elif isinstance(event, StreamReset):
                    self.server.resets.append(event.error_code)
            self.flush()


class Server:
    """A plaintext server; `answer(peer, stream)` is called when a request is complete."""

    def __init__(self, answer: Answer, settings: Mapping[Setting, int], began: Answer) -> None:
        self.answer, self.settings, self.began = answer, settings, began
        self.peers: list[Peer] = []
        self.resets: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        peer = Peer(self, connection)
        self.peers.append(peer)
        try:
            with connection:
                peer.serve()
        except (OSError, NGH2Error):
            pass

    def close(self) -> None:
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for peer in self.peers:
            peer.socket.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Server] = []

    def start(
        answer: Answer,
        settings: Mapping[Setting, int] | None = None,
        began: Answer = lambda peer, stream: None,
    ) -> Server:
        started.append(Server(answer, settings or {}, began))
        return started[-1]

    yield start
    for one in started:
        one.close()


SCRIPT = """
import grpc from 'k6/net/grpc';
import { WebSocket } from 'k6/websockets';
export const options = OPTIONS;
const client = new grpc.Client();
client.load([], 'service.proto');
const connect = () => client.connect(__ENV.GRPC, { plaintext: true, maxReceiveSize: 100_000_000 });
const call = (request = {}, params = { timeout: '60s' }) => client.invoke('t.S/Call', request, params);
const ended = (stream, use) => new Promise((resolve) => { stream.on('end', resolve); use(stream); });
const show = (response) => console.log(JSON.stringify([
  response.status, response.error && response.error.message, response.message.text]));
export default async function () { BODY }
"""


@pytest.fixture
def calls(run: Run, tmp_path: Any) -> Callable[..., Process]:
    """Run a function's body against a server."""
    (tmp_path / "service.proto").write_text(PROTO)

    def play(server: Server, body: str, options: str = "{}", *flags: str) -> Process:
        script = SCRIPT.replace("BODY", body).replace("OPTIONS", options)
        return run(script, "-e", f"GRPC={server.address}", *flags)

    return play


def shown(done: Process) -> list[list[Any]]:
    """[status, error, text] of each call; the run has gone well."""
    assert done.code == 0, done.stderr
    assert done.messages("error") == []
    return [json.loads(text) for text in done.messages("info")]


def test_a_call_that_goaway_leaves_out_is_made_again(serve: Serve, calls: Any) -> None:
    def answer(peer: Peer, stream: int) -> Any:
        if peer is server.peers[0] and stream > 1:  # the server has seen the first stream only
            peer.flush(frame(GOAWAY, 0, struct.pack(">II", 1, 0)))
            return None
        peer.reply(stream, HI)
        return None

    server = serve(answer)
    done = calls(server, "connect(); show(call()); show(call()); show(call());")
    assert shown(done) == [[0, None, "hi"]] * 3
    assert len(server.peers) == 2


def test_calls_under_way_end_after_goaway(serve: Serve, calls: Any) -> None:
    def answer(peer: Peer, stream: int) -> None:
        peer.flush(frame(GOAWAY, 0, struct.pack(">II", stream, 0)))
        peer.reply(stream, HI)

    server = serve(answer)
    done = calls(server, "connect(); show(call()); show(call());")
    assert shown(done) == [[0, None, "hi"]] * 2
    assert len(server.peers) == 2


def test_a_refused_stream_is_made_again_once(serve: Serve, calls: Any) -> None:
    counts: list[int] = []

    def answer(peer: Peer, stream: int) -> None:
        counts.append(stream)
        if len(counts) in (1, 3, 4):
            peer.protocol.reset_stream(stream, 7)
        else:
            peer.reply(stream, HI)

    done = calls(serve(answer), "connect(); show(call()); show(call()); show(call());")
    refused = "stream terminated by RST_STREAM with error code: REFUSED_STREAM"
    assert shown(done) == [[0, None, "hi"], [14, refused, ""], [0, None, "hi"]]


@pytest.mark.parametrize(
    ("code", "status"), [(0, 13), (1, 13), (2, 13), (3, 8), (8, 1), (11, 8), (12, 7), (99, 2)]
)
def test_statuses_of_resets(serve: Serve, calls: Any, code: int, status: int) -> None:
    def answer(peer: Peer, stream: int) -> None:
        peer.flush(frame(RST_STREAM, stream, struct.pack(">I", code)))

    found = shown(calls(serve(answer), "connect(); show(call());"))
    assert [one[0] for one in found] == [status]


def test_a_connection_that_is_lost_is_made_anew(serve: Serve, calls: Any) -> None:
    def answer(peer: Peer, stream: int) -> Any:
        if len(server.peers) == 1:
            return "close"
        peer.reply(stream, HI)
        return None

    server = serve(answer)
    first, second = shown(calls(server, "connect(); show(call()); show(call());"))
    assert first[0] == 14
    assert "error reading from server: EOF" in first[1]
    assert second == [0, None, "hi"]


def test_a_server_that_has_gone_is_not_dialed_in_a_loop(serve: Serve, calls: Any) -> None:
    def answer(peer: Peer, stream: int) -> str:
        server.close()
        return "close"

    server = serve(answer)
    body = "connect(); for (let i = 0; i < 200; i += 1) show(call());"
    found = shown(calls(server, body))
    assert {one[0] for one in found} == {14}
    assert "connection refused" in found[-1][1]
    assert len(server.peers) == 1


def test_small_windows_are_obeyed(serve: Serve, calls: Any) -> None:
    """A message waits for WINDOW_UPDATE, and arrives whole."""
    sizes: list[int] = []

    def answer(peer: Peer, stream: int) -> None:
        sizes.append(len(peer.bodies[stream]))
        peer.reply(stream, HI)

    server = serve(answer, {Setting.INITIAL_WINDOW_SIZE: 1000})
    body = "connect(); show(call({ text: 'x'.repeat(300_000) })); show(call());"
    assert shown(calls(server, body)) == [[0, None, "hi"]] * 2
    assert sizes == [300_009, 5]


def test_a_window_that_stays_closed_ends_with_the_deadline(serve: Serve, calls: Any) -> None:
    server = serve(lambda peer, stream: None, {Setting.INITIAL_WINDOW_SIZE: 0})
    body = "connect(); show(call({ text: 'x' }, { timeout: '200ms' }));"
    assert shown(calls(server, body)) == [[4, "context deadline exceeded", ""]]
    until(lambda: server.resets, "the end of the stream")
    assert server.resets == [8]


def test_streams_beyond_the_limit_wait(serve: Serve, calls: Any) -> None:
    most = 0
    open_streams: set[int] = set()

    def began(peer: Peer, stream: int) -> None:
        nonlocal most
        open_streams.add(stream)
        most = max(most, len(open_streams))

    def answer(peer: Peer, stream: int) -> None:
        open_streams.discard(stream)
        peer.reply(stream, HI)

    server = serve(answer, {Setting.MAX_CONCURRENT_STREAMS: 1}, began)
    body = """connect();
      const all = await Promise.all([1, 2, 3].map(() => client.asyncInvoke('t.S/Call', {})));
      all.forEach(show);"""
    assert shown(calls(server, body)) == [[0, None, "hi"]] * 3
    assert most == 1


def test_messages_of_64_mb(serve: Serve, calls: Any) -> None:
    size = 64 << 20

    def answer(peer: Peer, stream: int) -> None:
        peer.reply(stream, bytes(peer.bodies[stream][5:]))

    body = f"""connect();
      const data = 'A'.repeat({size} / 3 * 4 - {size} / 3 * 4 % 4);
      const {{ status, message }} = call({{ data }}, {{ timeout: '60s' }});
      console.log(JSON.stringify([status, message.data.length - data.length]));"""
    assert shown(calls(serve(answer), body)) == [[0, 0]]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\x00\x00\x00\x7f" + b"x" * 3, 13),  # shorter than it says
        (b"\x00\xff\xff\xff\xff", 8),  # larger than anything
        (b"\x02\x00\x00\x00\x00", 13),  # no flag
        (b"\x01\x00\x00\x00\x01x", 13),  # compressed, nobody knows how
        (b"\x00\x00\x00\x00\x02\xff\xff", 13),  # no message
        (b"\x00\x00", 13),  # half a prefix
        (b"", 13),
    ],
)
def test_broken_messages(serve: Serve, calls: Any, data: bytes, status: int) -> None:
    def answer(peer: Peer, stream: int) -> None:
        peer.protocol.send_response(stream, HEAD)
        if data:
            peer.protocol.send_data(stream, data)
        peer.protocol.send_trailers(stream, OK)

    found = shown(calls(serve(answer), "connect(); show(call());"))
    assert [one[0] for one in found] == [status]


def test_who_greets_with_no_http2(run: Run, calls: Any, serve: Serve) -> None:
    """A connection to something else ends in an exception of that iteration."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

    threading.Thread(target=accept, daemon=True).start()
    server = serve(lambda peer, stream: None)
    server.address = f"127.0.0.1:{listener.getsockname()[1]}"
    body = """try { client.connect(__ENV.GRPC, { plaintext: true, timeout: '300ms' }); }
      catch (e) { console.log(JSON.stringify(e.message)); }"""
    (text,) = shown(calls(server, body))
    assert str(text).startswith("context deadline exceeded")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize(
    "body",
    [
        "connect(); call({}, { timeout: 0 });",
        "connect(); await client.asyncInvoke('t.S/Call', {});",
        "connect(); await ended(new grpc.Stream(client, 't.S/Both'), (s) => s.write({ text: 'x' }));",
        "connect(); await ended(new grpc.Stream(client, 't.S/Down'), (s) => { s.write({}); s.end(); });",
        "client.healthCheck; connect(); client.healthCheck();",
        "client.connect(__ENV.GRPC, { plaintext: true, reflect: true, timeout: '60s' });",
    ],
)
def test_an_interruption_ends_what_hangs(serve: Serve, calls: Any, body: str) -> None:
    """The scenario is over, and nothing of it is left (`Process.end` looks for processes)."""
    server = serve(lambda peer, stream: None)
    options = (
        "{ scenarios: { s: { executor: 'constant-vus', vus: 3, duration: '1s', gracefulStop: '0s' } } }"
    )
    done = calls(server, body + " console.log('[\"returned\"]');", options)
    assert done.code == 0, done.stderr
    assert done.messages("info") == []


def test_an_iteration_that_fails_ends_its_streams_and_calls(serve: Serve, calls: Any) -> None:
    server = serve(lambda peer, stream: None)
    body = """connect();
      const stream = new grpc.Stream(client, 't.S/Both');
      stream.on('error', (e) => console.log(`${Number(e.code)} ${e.message}`));
      stream.on('end', () => console.log('end'));
      stream.write({ text: 'x' });
      client.asyncInvoke('t.S/Call', {});
      throw new Error('the iteration');"""
    done = calls(server, body)
    assert done.messages("info") == ["2 canceled by client (k6)", "end"]
    texts = [text.splitlines()[0] for text in done.messages("error")]
    assert texts == ["Uncaught (in promise) Error: the iteration"]


def test_what_is_not_ended_by_a_script_does_not_hang(serve: Serve, calls: Any) -> None:
    """k6 waits for ever where a stream's message does not encode, or where one is written after the end."""

    def began(peer: Peer, stream: int) -> None:
        peer.protocol.send_response(stream, (*HEAD, *OK), end_stream=True)

    server = serve(lambda peer, stream: None, None, began)
    body = """connect();
      const late = new grpc.Stream(client, 't.S/Both');
      late.on('end', () => { late.write({ text: 'late' }); late.end(); console.log('["late"]'); });
      await new Promise((resolve) => { late.on('end', resolve); });"""
    assert shown(calls(server, body)) == [["late"]]

    silent = serve(lambda peer, stream: None)
    body = """connect();
      const wrong = new grpc.Stream(client, 't.S/Both');
      wrong.on('error', () => console.log('["error"]'));
      wrong.on('end', () => console.log('["end"]'));
      wrong.write({ nope: 1 });"""
    assert shown(calls(silent, body)) == [["error"], ["end"]]
