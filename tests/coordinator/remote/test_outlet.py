from __future__ import annotations

import socket

import pytest

from jsrunner.coordinator.remote.outlet import Outlet


def test_bytes_wait_for_a_slow_reader_and_nobody_else() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outlet = Outlet(ours)
        sent = b"".join(number.to_bytes(4, "big") for number in range(1 << 18))
        outlet.put(sent[:1000])
        assert outlet.size == 0
        outlet.put(sent[1000:])
        assert outlet.size > 0
        received = b""
        while outlet.size:
            received += theirs.recv(1 << 16)
            outlet.flush()
        ours.shutdown(socket.SHUT_WR)
        while part := theirs.recv(1 << 16):
            received += part
        assert received == sent


def test_what_waits_can_be_taken_out() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outlet = Outlet(ours)
        outlet.put(bytes(1 << 24))
        waiting = outlet.size
        assert len(outlet.take()) == waiting
        assert outlet.size == 0


def test_a_reader_that_has_gone_is_an_error() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        with pytest.raises(BrokenPipeError):
            Outlet(ours).put(b"x")
