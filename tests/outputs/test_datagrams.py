"""Lines in datagrams."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import DEADLINE

from jsrunner.outputs.datagrams import pack, send
from jsrunner.outputs.pusher import PushError


@given(st.lists(st.binary(min_size=1, max_size=30)), st.integers(1, 60), st.integers(1, 5))
def test_datagrams_hold_all_lines_in_order(lines: list[bytes], size: int, most: int) -> None:
    packed = list(pack(lines, size, most))
    assert b"".join(packed) == b"".join(lines)
    assert all(len(one) <= max(size, 30) for one in packed)


def test_a_line_that_is_too_long_goes_alone() -> None:
    assert list(pack([b"a", b"b" * 9, b"c"], 4, None)) == [b"a", b"b" * 9, b"c"]


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "localhost")]
)
def test_lines_arrive(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(DEADLINE)
        send((host, server.getsockname()[1]), [b"one\n", b"two\n", b"three\n"], size=100, most=2)
        assert [server.recv(100), server.recv(100)] == [b"one\ntwo\n", b"three\n"]


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(PushError) as caught:
        send(("no.such.host.invalid", 1), [b"one"], size=100)
    assert not caught.value.again
