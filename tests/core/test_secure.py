"""TLS of sessions: records in all pieces, what the peer does between messages, and all ends."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from core_receive import END, ENDED
from core_secure import (
    APPLICATION,
    HANDSHAKE,
    UPDATE,
    UPDATE_REQUESTED,
    OldTLS,
    Records,
    TrafficKeys,
)
from core_session import text
from core_vu import DEADLINE
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core_session import Links
    from http_sites import Authority

MANY = 300
#: Answers each text.
ECHO = """
entries.run = (isBlocking) => see(connect(isBlocking, {
  text(value, more, session) { session.sendText(value); },
}), isBlocking);
"""


@pytest.fixture(params=["tls1.2", "tls1.3"])
def records(request: pytest.FixtureRequest, link: Callable[..., Links]) -> Callable[..., Links]:
    """Make a VU whose sessions have TLS, and peers with `Records`."""

    def records(source: str = "") -> Links:
        one = link(source, secure=True)

        def accept(sock: Any, context: ssl.SSLContext) -> Records:
            if request.param == "tls1.2":
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            return Records(sock, context)

        one.accept = accept
        return one

    return records


def serialized(*frames: Frame) -> bytes:
    return b"".join(one.serialize(mask=False) for one in frames)


# -- records ---------------------------------------------------------------------------------------------


def test_records_cut_at_every_byte(records: Callable[..., Links], blocking: bool) -> None:
    one = records()
    running = one.vu.start("see", blocking)
    peer = one.peer()
    data = peer.sock.encrypted(serialized(text("hello"))) + peer.sock.encrypted(serialized(END))
    for number in range(len(data)):
        peer.sock.below.sendall(data[number : number + 1])
        gevent.sleep(0)
    assert running.get(timeout=DEADLINE) == [["text", "hello"], ENDED]


def test_many_records_at_once(records: Callable[..., Links], blocking: bool) -> None:
    one = records()
    running = one.vu.start("see", blocking)
    peer = one.peer()
    texts = [f"{number} " + "x" * (number * 37 % 2000) for number in range(MANY)]
    data = b"".join(peer.sock.encrypted(serialized(text(each))) for each in texts)
    gevent.spawn(peer.sock.below.sendall, data + peer.sock.encrypted(serialized(END)))
    assert running.get(timeout=DEADLINE) == [*(["text", each] for each in texts), ENDED]


def test_large_messages_both_ways(records: Callable[..., Links], blocking: bool) -> None:
    one = records(ECHO)
    one.buffers = 16 << 10
    running = one.vu.start("run", blocking)
    peer = one.peer()
    large = ["a" * (1 << 20), "b" * ((1 << 20) + 1)]
    writing = gevent.spawn(peer.send, *map(text, large))
    received = b""
    while len(received) < sum(len(each) + 14 for each in large):
        received += peer.sock.recv(3001)  # slowly
        gevent.sleep(0)
    writing.get(timeout=DEADLINE)
    peer.protocol.receive_data(received)
    assert [bytes(each.data).decode() for each in peer.protocol.events_received()] == large
    peer.send(END)
    assert running.get(timeout=DEADLINE) == [*(["text", each] for each in large), ENDED]


def test_a_session_that_ends_within_many_records(records: Callable[..., Links], blocking: bool) -> None:
    """Of its bytes that are decrypted already nothing comes any more."""
    one = records(
        """
        entries.run = (isBlocking) => see(connect(isBlocking, {
          text(value, more, session) { session.sendClose(1000); session.shut(); session.stop(); },
        }), isBlocking);
        """
    )
    running = one.vu.start("run", blocking)
    peer = one.peer()
    data = b"".join(peer.sock.encrypted(serialized(text(str(number)))) for number in range(MANY))
    peer.sock.below.sendall(data)
    assert running.get(timeout=DEADLINE) == [["text", "0"]]
    assert [bytes(each.data) for each in peer.frames()] == [b"\x03\xe8"]


# -- ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says_so", [True, False])
def test_an_end_with_and_without_close_notify(
    records: Callable[..., Links], blocking: bool, says_so: bool
) -> None:
    one = records()
    running = one.vu.start("see", blocking)
    peer = one.peer()
    peer.send(text("last"))
    if says_so:
        with pytest.raises(ssl.SSLWantReadError):
            peer.sock.tls.unwrap()
        peer.sock.flush()
    peer.sock.close()
    assert running.get(timeout=DEADLINE) == [["text", "last"], ["end"]]


@pytest.mark.parametrize("cut", [1, 5, 6, -1])
def test_an_end_within_a_record(records: Callable[..., Links], blocking: bool, cut: int) -> None:
    one = records()
    running = one.vu.start("see", blocking)
    peer = one.peer()
    data = peer.sock.encrypted(serialized(text("last")))
    peer.sock.below.sendall(data + peer.sock.encrypted(serialized(text("lost")))[:cut])
    peer.sock.close()
    assert running.get(timeout=DEADLINE) == [["text", "last"], ["reset"]]


def test_a_record_that_was_tampered_with(records: Callable[..., Links], blocking: bool) -> None:
    """The client says so by an alert."""
    one = records()
    running = one.vu.start("see", blocking)
    peer = one.peer()
    data = bytearray(peer.sock.encrypted(serialized(text("hello"))))
    data[-1] ^= 1
    peer.sock.below.sendall(bytes(data))
    assert running.get(timeout=DEADLINE) == [["reset"]]
    with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac"):
        peer.sock.recv(100)


def changed(record: bytes, at: int, to: bytes) -> bytes:
    at %= len(record)
    if record[at : at + len(to)] == to:  # the last byte of a record is random
        to = bytes(byte ^ 1 for byte in to)
    return record[:at] + to + record[at + len(to) :]


@pytest.mark.parametrize(
    ("at", "to", "alert"),
    [
        (-1, b"?", "bad record MAC"),
        (0, b"?", "bad record MAC"),
        (1, b"??", "protocol version not supported"),
        (3, b"\xff\xff", "record overflow"),
        (0, b"HTTP/1.1 400", "protocol version not supported"),
    ],
)
def test_k6_ws_sees_the_alert_as_a_failed_write(
    records: Callable[..., Links], at: int, to: bytes, alert: str
) -> None:
    one = records(
        "entries.run = () => see(connect(true, { reset(value, more, session) {"
        " session.sendClose(1001); seen.push(session.shut()); } }), true);"
    )
    running = one.vu.start("run")
    peer = one.peer()
    record = peer.sock.encrypted(serialized(text("hello" * 10)))
    peer.sock.below.sendall(changed(record, at, to))
    assert running.get(timeout=DEADLINE) == [["reset"], f"local error: tls: {alert}"]


def test_an_alert_of_the_peer_is_no_failed_write(records: Callable[..., Links]) -> None:
    one = records(
        "entries.run = () => see(connect(true, { reset(value, more, session) {"
        " session.sendClose(1001); seen.push([session.shut()]); } }), true);"
    )
    running = one.vu.start("run")
    peer = one.peer()
    peer.sock.incoming.write(b"\x17\x03\x03\x00\x20" + bytes(32))  # which the server refuses
    with pytest.raises(ssl.SSLError):
        peer.sock.tls.read(100)
    peer.sock.flush()
    assert running.get(timeout=DEADLINE) == [["reset"], [None]]


def test_an_alert_behind_a_message(records: Callable[..., Links], blocking: bool) -> None:
    one = records()
    running = one.vu.start("see", blocking)
    peer = one.peer()
    data = peer.sock.encrypted(serialized(text("last")))
    peer.sock.incoming.write(b"\x17\x03\x03\x00\x20" + bytes(32))  # which the server refuses
    with pytest.raises(ssl.SSLError):
        peer.sock.tls.read(100)
    peer.sock.below.sendall(data + peer.sock.outgoing.read())
    assert running.get(timeout=DEADLINE) == [["text", "last"], ["reset"]]


def test_a_session_says_that_it_ends(records: Callable[..., Links], blocking: bool) -> None:
    """By close_notify: `recv` of a peer that insists on it raises nothing."""
    one = records()
    running = one.vu.start("see", blocking)
    peer = one.peer()
    peer.send(END)
    assert running.get(timeout=DEADLINE) == [ENDED]
    assert [each.opcode for each in peer.frames()] == [] if blocking else [Opcode.CLOSE]


# -- between messages ------------------------------------------------------------------------------------


def test_new_keys_that_the_peer_asks_for(
    link: Callable[..., Links], blocking: bool, tmp_path: Path
) -> None:
    one = link(ECHO, secure=True)

    def accept(sock: Any, context: ssl.SSLContext) -> Records:
        context.num_tickets = 0
        context.keylog_filename = str(tmp_path / "keys")
        return Records(sock, context)

    one.accept = accept
    running = one.vu.start("run", blocking)
    peer = one.peer()
    sock = peer.sock.below
    mine = TrafficKeys.logged(tmp_path / "keys", "SERVER_TRAFFIC_SECRET_0")
    theirs = TrafficKeys.logged(tmp_path / "keys", "CLIENT_TRAFFIC_SECRET_0")

    def received() -> bytes:
        header = sock.recv(5, socket.MSG_WAITALL)
        return header + sock.recv(int.from_bytes(header[3:], "big"), socket.MSG_WAITALL)

    sock.sendall(mine.encrypt(HANDSHAKE, UPDATE_REQUESTED))
    mine = mine.updated()
    sock.sendall(mine.encrypt(APPLICATION, serialized(text("hello"))))
    assert theirs.decrypt(received()) == (HANDSHAKE, UPDATE)
    kind, content = theirs.updated().decrypt(received())
    peer.protocol.receive_data(content)
    assert kind == APPLICATION
    assert [bytes(each.data) for each in peer.protocol.events_received()] == [b"hello"]
    sock.sendall(mine.encrypt(APPLICATION, serialized(END)))
    assert running.get(timeout=DEADLINE) == [["text", "hello"], ENDED]


def test_a_peer_that_renegotiates(
    link: Callable[..., Links], authority: Authority, blocking: bool
) -> None:
    """Messages of both ends come before and after."""
    one = link(ECHO, secure=True)
    one.accept = lambda sock, context: OldTLS(sock, authority)
    running = one.vu.start("run", blocking)
    peer = one.peer()
    for number in range(3):
        peer.send(text(f"before {number}"))
        assert [bytes(each.data) for each in peer.frames(1)] == [f"before {number}".encode()]
        peer.sock.renegotiate()
        peer.send(text(f"meanwhile {number}"))
        assert [bytes(each.data) for each in peer.frames(1)] == [f"meanwhile {number}".encode()]
        assert not peer.sock.is_renegotiating
    peer.send(END)
    assert len(running.get(timeout=DEADLINE)) == 7
