"""What a connection says of a peer that is gone."""

from __future__ import annotations

import struct

import pytest
from gevent import Timeout, sleep, socket

from jsrunner.transport.websocket import Connection

DEADLINE = 10


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_errors_name_both_ends_of_a_connection_that_was_reset(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        client = socket.create_connection(listener.getsockname()[:2])
        server, _ = listener.accept()
        ends = [f"[{host}]" if ":" in host else host] * 2
        ends = [
            f"{name}:{one.getsockname()[1]}" for name, one in zip(ends, (client, server), strict=True)
        ]
        connection = Connection(client)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        failure = None
        with Timeout(DEADLINE):
            while failure is None:
                failure = connection.write_text(b"anybody there?")
                sleep(0.001)
        connection.shut()
    prefix, _, reason = failure.rpartition(": ")
    assert prefix == f"write tcp {'->'.join(ends)}: write"
    assert reason in ("connection reset by peer", "broken pipe")
