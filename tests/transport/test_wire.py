from __future__ import annotations

import socket
import struct

import pytest

from jsrunner.transport.wire import ends_of, was_reset, wire_bytes


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
        ends = f"127.0.0.1:{client.getsockname()[1]}->127.0.0.1:{client.getpeername()[1]}"
        assert ends_of(client) == ends
    assert (sent, received) == (1000, 10)


def test_no_connection() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        assert wire_bytes(sock) is None
        assert not was_reset(sock)


@pytest.mark.parametrize("resets", [True, False])
def test_resets(resets: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client:
        assert not was_reset(client)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", resets, 0))
        server.close()
        try:
            assert client.recv(1) == b""
        except ConnectionResetError:
            assert resets
        assert was_reset(client) == resets
