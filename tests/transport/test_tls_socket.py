"""TLS on gevent sockets: bytes both ways, waits, and ends."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from gevent import socket as green
from servers import drain
from waiting import DEADLINE

from jsrunner.options.model import Options
from jsrunner.transport.errors import DialError, TLSAlert
from jsrunner.transport.tls import TLS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from http_sites import Authority
    from servers import Server

    from jsrunner.transport.tls_socket import TLSSocket

    Connect = Callable[[Callable[[ssl.SSLSocket], Any]], TLSSocket]


@pytest.fixture
def connect(authority: Authority, serve: Callable[..., Server]) -> Connect:
    """Return a connection to a server that passes its end to a function of the test."""

    def connect(handle: Callable[[ssl.SSLSocket], Any]) -> TLSSocket:
        def answer(connection: socket.socket) -> None:
            handle(authority.context("127.0.0.1").wrap_socket(connection, server_side=True))

        sock = green.create_connection(("127.0.0.1", serve(answer).port))
        tls = TLS(Options(), {"SSL_CERT_FILE": str(authority.file)})
        return tls.handshake(sock, "127.0.0.1", ())

    return connect


def test_bytes_both_ways(connect: Connect) -> None:
    """Neither end reads before the other one has written more than the kernel keeps."""
    size = 8 << 20

    def echo(peer: ssl.SSLSocket) -> None:
        with peer:
            data = b""
            while len(data) < size:
                data += peer.recv(1 << 20)
            peer.sendall(data)
            peer.unwrap()

    with gevent.Timeout(DEADLINE):
        connection = connect(echo)
        sent = bytes(range(256)) * (size // 256)
        connection.sendall(sent)
        received = bytearray()
        while data := connection.recv(5000):
            assert len(data) <= 5000
            received += data
        connection.close()
    assert bytes(received) == sent


def test_reads_wait_without_holding_others_up(connect: Connect) -> None:
    def answer(peer: ssl.SSLSocket) -> None:
        with peer:
            peer.recv(1)
            peer.sendall(b"yes")
            drain(peer)

    connection = connect(answer)
    reading = gevent.spawn(connection.recv, 10)
    gevent.sleep(0)
    with pytest.raises(BlockingIOError):
        connection.read_now(10)
    connection.sendall(b"?")
    assert reading.get(timeout=DEADLINE) == b"yes"
    connection.close()


def test_ends(connect: Connect) -> None:
    def end(peer: ssl.SSLSocket) -> None:
        peer.close()  # without close_notify

    connection = connect(end)
    assert connection.recv(10) == b""
    connection.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        connection.recv(10)

    def reset(peer: ssl.SSLSocket) -> None:
        peer.recv(1)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()

    connection = connect(reset)
    connection.sendall(b"x")
    with pytest.raises(ConnectionResetError):
        connection.recv(10)
    connection.close()


def test_alerts_and_other_bytes(connect: Connect, serve: Callable[..., Server]) -> None:
    def tamper(peer: ssl.SSLSocket) -> None:
        peer.recv(1)
        with socket.socket(fileno=peer.detach()) as below:
            below.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            drain(below)

    connection = connect(tamper)
    connection.sendall(b"x")
    with pytest.raises(TLSAlert, match="local error: tls: bad record MAC"):
        connection.recv(10)
    with pytest.raises(BrokenPipeError):
        connection.sendall(b"x")
    connection.close()

    def unknown(peer: socket.socket) -> None:
        peer.recv(5)
        peer.sendall(b"\x15\x03\x03\x00\x02\x02\xdc")  # an alert 220
        drain(peer)

    sock = green.create_connection(("127.0.0.1", serve(unknown).port))
    with pytest.raises(TLSAlert, match=r"tls: alert\(220\)"):
        TLS(Options(), {}).handshake(sock, "a.test", ())
    assert sock.fileno() == -1


@pytest.mark.parametrize("name", ["", ".test", "a\0b.test"])
def test_names_that_no_server_can_have(serve: Callable[..., Server], name: str) -> None:
    """OpenSSL would take any certificate for some of them."""
    sock = green.create_connection(("127.0.0.1", serve(drain).port))
    with pytest.raises(DialError, match="invalid server name"):
        TLS(Options(), {}).handshake(sock, name, ())
    assert sock.fileno() == -1
