"""Datagrams at a StatsD server's place."""

from __future__ import annotations

import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.errors import UsageError
from jsrunner.outputs.statsd import configure

if TYPE_CHECKING:
    from collections.abc import Callable


def received(server: socket.socket) -> list[bytes]:
    """The datagrams that have come."""
    server.setblocking(False)
    datagrams = []
    while True:
        try:
            datagrams.append(server.recv(65536))
        except BlockingIOError:
            return datagrams


def test_samples_by_their_kinds(run_to: Callable[..., Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        server.bind(("127.0.0.1", 0))
        done = run_to("statsd", K6_STATSD_ADDR=f"127.0.0.1:{server.getsockname()[1]}",
                   K6_STATSD_NAMESPACE="load.", K6_STATSD_BUFFER_SIZE="5")  # fmt: skip
        datagrams = received(server)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(one.count(b"\n") for one in datagrams) == 5
    lines = Counter(b"".join(datagrams).decode().splitlines())
    expected = {
        "load.my_count:2|c": 40, "load.my_count:20|c": 1, "load.my_gauge:7.000000|g": 40,
        "load.my_rate:0|c": 40, "load.my_time:250.000000|ms": 40, "load.check.it is_ so.pass:1|c": 40,
        "load.iterations:1|c": 40,
    }  # fmt: skip
    assert {line: lines[line] for line in expected} == expected


def test_tags_go_along_if_they_are_enabled(run_to: Callable[..., Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        server.bind(("127.0.0.1", 0))
        done = run_to(f"statsd=127.0.0.1:{server.getsockname()[1]}", K6_STATSD_ENABLE_TAGS="true",
                   K6_STATSD_TAG_BLOCKLIST="scenario,group")  # fmt: skip
        lines = b"".join(received(server)).decode().splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "k6.my_time:250.000000|ms|#team:a_ b=c" in lines


@pytest.mark.parametrize("address", ["host", "host:", "host:x"])
def test_an_address_has_a_port(address: str) -> None:
    with pytest.raises(UsageError, match="is not a host with a port"):
        configure(address, {})
