"""Deadlines of a connection that is used again and again."""

from __future__ import annotations

import socket

import gevent
import pytest
from gevent import socket as green

from jsrunner.transport.stream import Expired, Stream


class _Meter:
    id = 1

    def add_bytes(self, sent: int, received: int) -> None:
        pass


def test_each_deadline_has_its_whole_time() -> None:
    """Time that earlier exchanges have used is not subtracted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = green.create_connection(listener.getsockname())
        peer, _ = listener.accept()
        stream = Stream(sock, _Meter())
        for _ in range(30):
            stream.expire_in(2)
            gevent.spawn_later(0.1, peer.send, b"x")
            assert stream.read() == b"x"
            stream.stay()
        stream.expire_in(0.05)
        with pytest.raises(Expired):
            stream.read()
        stream.close()
        peer.close()
