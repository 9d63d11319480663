from __future__ import annotations

import socket

from jsrunner.transport.wire import wire_bytes, wire_bytes_of


def test_what_the_kernel_counts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        client.sendall(b"x" * 1000)
        assert len(server.recv(1000, socket.MSG_WAITALL)) == 1000
        server.sendall(b"y" * 10)
        assert client.recv(10, socket.MSG_WAITALL) == b"y" * 10
        sent, received = wire_bytes(client) or (0, 0)
        assert wire_bytes_of(client.fileno()) == (sent, received)
        assert client.fileno() >= 0
    assert (sent, received) == (1000, 10)


def test_no_connection() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        assert wire_bytes(sock) is None
