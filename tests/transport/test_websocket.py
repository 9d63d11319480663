"""The client's codec against the frames of the package websockets, byte by byte and all at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from gevent import socket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side

import jsrunner.engine.interpreter  # noqa: F401 - the error handler `go` of texts
from jsrunner.transport import websocket
from jsrunner.transport.deflate import Deflate
from jsrunner.transport.websocket import Connection, close_text, frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEADLINE = 10


class Peer:
    """The server's end of a connection: plain bytes out, the package's frames in."""

    def __init__(self, sock: Any, extensions: Sequence[PerMessageDeflate] = ()) -> None:
        self.sock = sock
        self.protocol = Protocol(Side.SERVER, max_size=None)
        self.protocol.extensions = list(extensions)
        self._extensions = list(extensions)

    def send(self, *frames: Frame, piece: int = 1 << 30) -> None:
        data = b"".join(one.serialize(mask=False, extensions=self._extensions) for one in frames)
        for start in range(0, len(data), piece):
            self.sock.sendall(data[start : start + piece])
            if piece < len(data):
                gevent.sleep(0)

    def frames(self, count: int) -> list[Frame]:
        """The next frames of the client, unmasked and inflated."""
        found: list[Frame] = []
        with gevent.Timeout(DEADLINE):
            while len(found) < count:
                data = self.sock.recv(65536)
                if not data:
                    break
                self.protocol.receive_data(data)
                if self.protocol.parser_exc is not None:
                    raise self.protocol.parser_exc
                found += [one for one in self.protocol.events_received() if isinstance(one, Frame)]
        return found


@contextmanager
def pair(
    *,
    rest: bytes = b"",
    strict: bool = False,
    deflate: Deflate | None = None,
    extensions: Sequence[PerMessageDeflate] = (),
) -> Iterator[tuple[Connection, Peer]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = Connection(client, rest=rest, strict=strict, deflate=deflate)
    try:
        yield connection, Peer(server, extensions)
    finally:
        if connection.connected:
            connection.shut()
        server.close()


def collect(connection: Connection, count: int) -> list[Any]:
    """At least so many events."""
    found: list[Any] = []
    with gevent.Timeout(DEADLINE):
        while len(found) < count:
            found += connection.wait()
    return found


def text(payload: str) -> Frame:
    return Frame(Opcode.TEXT, payload.encode())


# -- receiving -------------------------------------------------------------------------------------


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=300).map(lambda data: Frame(Opcode.BINARY, data)),
            st.text(max_size=200).map(text),
            st.binary(max_size=125).map(lambda data: Frame(Opcode.PING, data)),
            st.binary(max_size=125).map(lambda data: Frame(Opcode.PONG, data)),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(min_value=1, max_value=700),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_messages_in_pieces_of_any_size(frames: list[Frame], piece: int) -> None:
    expected: list[Any] = []
    for one in frames:
        name = one.opcode.name.lower()
        expected.append(bytes(one.data) if one.opcode is Opcode.TEXT else (name, bytes(one.data)))
    with pair() as (connection, peer):
        sending = gevent.spawn(peer.send, *frames, piece=piece)
        found = collect(connection, len(frames))
        sending.get()
    assert [one if isinstance(one, bytes) else (one[0], bytes(one[1])) for one in found] == expected


@pytest.mark.parametrize("size", [125, 126, 65535, 65536, 70000, 300000])
def test_sizes_around_the_lengths_of_lengths(size: int) -> None:
    with pair() as (connection, peer):
        sending = gevent.spawn(
            peer.send,
            Frame(Opcode.BINARY, b"b" * size),
            Frame(Opcode.TEXT, b"t" * size),
            text("end"),
            piece=50000,
        )
        found = collect(connection, 3)
        sending.get()
    kinds = [("text", one) if isinstance(one, bytes) else one for one in found]
    assert [(kind, bytes(data)) for kind, data in kinds] == [
        ("binary", b"b" * size),
        ("text", b"t" * size),
        ("text", b"end"),
    ]


def test_frames_cut_at_every_byte() -> None:
    """Of a fragmented message with control frames between its fragments."""
    frames = [
        Frame(Opcode.TEXT, "grü".encode()[:3], fin=False),
        Frame(Opcode.PING, b"ping"),
        Frame(Opcode.CONT, "grü".encode()[3:], fin=False),
        Frame(Opcode.PONG, b""),
        Frame(Opcode.CONT, b"!" * 130, fin=True),
        Frame(Opcode.BINARY, b"", fin=False),
        Frame(Opcode.CONT, b"x"),
        Frame(Opcode.CLOSE, Close(1000, "bye").serialize()),
    ]
    data = b"".join(one.serialize(mask=False) for one in frames)
    expected = [
        ("ping", b"ping"),
        ("pong", b""),
        ("grü" + "!" * 130).encode(),
        ("binary", b"x"),
        ("close", 1000, "bye"),
    ]
    for cut in range(1, len(data)):
        with pair(rest=data[:cut]) as (connection, peer):
            peer.sock.sendall(data[cut:])
            assert collect(connection, 5) == expected, cut


@pytest.mark.parametrize(
    "data",
    [
        bytes([0x83, 0]),
        bytes([0x8B, 0]),
        bytes([0x91, 0]),
        bytes([0xA1, 0]),
        bytes([0xC1, 0]),
        bytes([0x81, 0x80, 0, 0, 0, 0]),
        bytes([0x09, 0]),
        bytes([0x88, 126, 0, 126]) + bytes(126),
        bytes([0x80, 0]),
        bytes([0x01, 0, 0x81, 0]),
        *(Frame(Opcode.CLOSE, code.to_bytes(2, "big")).serialize(mask=False)
          for code in (0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000)),
        Frame(Opcode.CLOSE, b"\x03\xe8\xff").serialize(mask=False),
    ],
    ids=lambda data: data[:5].hex(),
)  # fmt: skip
def test_violations_end_the_connection_with_1002(data: bytes) -> None:
    with pair(rest=text("before").serialize(mask=False) + data + b"\x81\x05after") as (
        connection,
        peer,
    ):
        assert collect(connection, 2) == [b"before", ("close", 1001, None)]
        assert connection.write_text(b"x") == websocket.CLOSE_SENT
        [sent] = peer.frames(1)
        assert (sent.opcode, sent.data) == (Opcode.CLOSE, b"\x03\xea")


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1013, 3000, 4999])
def test_close_codes_that_may_come(code: int) -> None:
    data = Frame(Opcode.CLOSE, Close(code, "why").serialize()).serialize(mask=False)
    with pair(rest=data) as (connection, _):
        events = collect(connection, 1)
    assert events[-1] == ("close", code, "why")
    if code in (1000, 1001):
        assert len(events) == 1
    else:
        assert events[0] == ("error", close_text(code, "why"), {"code": code, "text": "why"})


def test_close_texts() -> None:
    assert close_text(1011, "x") == "websocket: close 1011 (internal server error): x"
    assert close_text(1005) == "websocket: close 1005 (no status)"
    assert close_text(4001, "") == "websocket: close 4001"


@pytest.mark.parametrize("payload", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"ok \xf0\x9f"])
@pytest.mark.parametrize("padding", [0, 5000])
def test_invalid_utf8(payload: bytes, padding: int) -> None:
    """k6 repairs it, the strict client fails the connection (RFC 6455, 8.1)."""
    payload = b"x" * padding + payload
    data = Frame(Opcode.TEXT, payload).serialize(mask=False)
    with pair(rest=data) as (connection, _):
        [event] = collect(connection, 1)
        received = event if isinstance(event, bytes) else event[1]
        # Short texts are repaired where they are decoded.
        assert bytes(received) in (payload, payload.decode("utf-8", "go").encode())
    with pair(rest=data, strict=True) as (connection, peer):
        assert collect(connection, 1) == [("close", 1001, None)]
        assert peer.frames(1)[0].data == b"\x03\xef"


def test_end_of_the_stream() -> None:
    with pair() as (connection, peer):
        peer.sock.close()
        text_, close = collect(connection, 2)
    assert text_[1] == "websocket: close 1006 (abnormal closure): unexpected EOF"
    assert close == ("close", 1006, "unexpected EOF")


# -- sending ---------------------------------------------------------------------------------------


@given(st.binary(max_size=70000), st.sampled_from([0x81, 0x82, 0x89]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_client_frames_are_what_a_server_expects(payload: bytes, first: int) -> None:
    if first == 0x89:
        payload = payload[:125]
    protocol = Protocol(Side.SERVER, max_size=None)
    protocol.receive_data(frame(first, payload))
    [found] = protocol.events_received()
    assert isinstance(found, Frame)
    assert (found.opcode, bytes(found.data), found.fin) == (first & 15, payload, True)


def test_masking_keys_differ() -> None:
    keys = {frame(0x81, b"x")[2:6] for _ in range(3000)}
    assert len(keys) > 2990


def test_what_is_sent_arrives() -> None:
    with pair() as (connection, peer):
        assert connection.write_text(b"text") is None
        assert connection.write_data(b"\0" * 9000) is None
        assert connection.write_ping(b"0") is None
        assert connection.write_close(1005) is None
        frames = peer.frames(4)
        size = sum(len(one.data) for one in frames if one.opcode in (Opcode.BINARY, Opcode.CONT))
        assert frames[0].opcode is Opcode.TEXT
        assert size >= 4096
        assert connection.write_text(b"more") == websocket.CLOSE_SENT


def test_peer_that_does_not_read_parks_the_sender() -> None:
    with pair() as (connection, peer):
        data = bytes(1 << 20)

        def send() -> None:
            for _ in range(20):
                assert connection.write_data(data) is None

        sending = gevent.spawn(send)
        gevent.sleep(0.05)
        assert not sending.ready()
        total = 0
        with gevent.Timeout(DEADLINE):
            while total < 20 << 20:
                total += len(peer.sock.recv(1 << 20))
            sending.get()


def test_busy_owner_is_not_read_from() -> None:
    with pair() as (connection, peer):
        many = text("x" * 100).serialize(mask=False) * 1000
        sending = gevent.spawn(lambda: [peer.sock.sendall(many) for _ in range(400)])
        with gevent.Timeout(DEADLINE):
            while not connection._paused:
                gevent.sleep(0.001)
        waiting = len(connection.events)
        gevent.sleep(0.02)
        assert len(connection.events) == waiting < 3 * websocket.HIGH_WATER_EVENTS
        received = collect(connection, 400_000)
        sending.get()
    assert len(received) == 400_000


# -- permessage-deflate ------------------------------------------------------------------------------


@pytest.mark.parametrize("takeover", [False, True])
@given(st.lists(st.text(max_size=3000), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_deflate_both_ways(takeover: bool, texts: list[str]) -> None:
    texts = [one * 5 for one in texts]
    extension = PerMessageDeflate(
        remote_no_context_takeover=not takeover,
        local_no_context_takeover=not takeover,
        remote_max_window_bits=15,
        local_max_window_bits=15,
    )
    deflate = Deflate(takeover_out=takeover, takeover_in=takeover)
    with pair(deflate=deflate, extensions=[extension]) as (connection, peer):
        sending = gevent.spawn(peer.send, *map(text, texts), piece=1000)
        found = collect(connection, len(texts))
        sending.get()
        assert [bytes(one if isinstance(one, bytes) else one[1]).decode() for one in found] == texts
        for one in texts:
            assert connection.write_text(one.encode()) is None
        received, whole = [], b""
        while len(received) < len(texts):
            for part in peer.frames(1):
                whole += part.data
                if part.fin:
                    received.append(whole.decode())
                    whole = b""
        assert received == texts


def test_compressed_message_in_fragments() -> None:
    extension = PerMessageDeflate(True, True, 15, 15)
    whole = text("hello " * 100).serialize(mask=False, extensions=[extension])
    payload = whole[2:] if whole[1] < 126 else whole[4:]
    pieces = (
        bytes([0x41, 3]) + payload[:3]
        + Frame(Opcode.PING, b"p").serialize(mask=False)
        + bytes([0x80, len(payload) - 3]) + payload[3:]
    )  # fmt: skip
    with pair(rest=pieces, deflate=Deflate()) as (connection, _):
        assert collect(connection, 2) == [("ping", b"p"), b"hello " * 100]


@pytest.mark.parametrize(
    "data",
    [
        bytes([0xC1, 3]) + b"\xff\xff\xff",  # no deflate
        bytes([0xC9, 0]),  # a compressed ping
        bytes([0x01, 0, 0xC0, 0]),  # a continuation that says so
    ],
)
def test_violations_of_deflate(data: bytes) -> None:
    with pair(rest=data, deflate=Deflate()) as (connection, peer):
        assert collect(connection, 1)[-1] == ("close", 1001, None)
        assert peer.frames(1)[0].data == b"\x03\xea"


def test_message_that_inflates_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_MESSAGE_BYTES", 100_000)
    data = text("x" * 200_000).serialize(mask=False, extensions=[PerMessageDeflate(True, True, 15, 15)])
    with pair(rest=data, deflate=Deflate()) as (connection, _):
        assert collect(connection, 2) == [
            ("error", "websocket: read limit exceeded", {}),
            ("close", 1009, ""),
        ]
