"""Transfers of libcurl beside each other in greenlets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import gevent
import pycurl
import pytest
from servers import drain, read_request

from jsrunner.transport.curl import Transfers

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
def transfers() -> Iterator[Transfers]:
    found = Transfers(10)
    yield found
    found.close()


def easy(port: int, **options: Any) -> tuple[pycurl.Curl, list[bytes]]:
    handle, body = pycurl.Curl(), list[bytes]()
    handle.setopt(pycurl.URL, f"http://127.0.0.1:{port}/")
    handle.setopt(pycurl.WRITEFUNCTION, body.append)
    for name, value in options.items():
        handle.setopt(getattr(pycurl, name), value)
    return handle, body


def keep_alive(connection: socket.socket) -> None:
    while read_request(connection):
        connection.sendall(OK)


def test_transfers_one_after_the_other(serve: Callable[..., Any], transfers: Transfers) -> None:
    handle, body = easy(serve(keep_alive).port)
    for _ in range(3):
        assert transfers.perform(handle)[0] is None
    assert body == [b"hi"] * 3
    assert handle.getinfo(pycurl.NUM_CONNECTS) == 0  # the connection was kept


def test_transfers_beside_each_other(serve: Callable[..., Any], transfers: Transfers) -> None:
    """All are under way before any is answered."""
    together = threading.Barrier(5, timeout=20)

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        together.wait()
        connection.sendall(OK)
        drain(connection)

    port = serve(answer).port
    running = [gevent.spawn(transfers.perform, easy(port)[0]) for _ in range(5)]
    gevent.joinall(running, timeout=20)
    assert [one.value for one in running] == [(None, True)] * 5


def test_failures(serve: Callable[..., Any], transfers: Transfers) -> None:
    outcome, _ = transfers.perform(easy(1)[0])
    assert outcome is not None
    assert outcome[0] == pycurl.E_COULDNT_CONNECT
    outcome, waited = transfers.perform(easy(serve(drain).port, TIMEOUT_MS=30)[0])
    assert outcome is not None
    assert outcome[0] == pycurl.E_OPERATION_TIMEDOUT
    assert waited


def test_an_interrupted_transfer_is_dropped(serve: Callable[..., Any], transfers: Transfers) -> None:
    asked: list[bytes] = []
    ended: list[bool] = []

    def answer(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        drain(connection)
        ended.append(True)

    handle, _ = easy(serve(answer).port)
    running = gevent.spawn(transfers.perform, handle)
    with gevent.Timeout(20):
        while not asked:
            gevent.sleep(0.001)
        running.kill()
        assert running.dead
        while not ended:  # the connection is closed with it
            gevent.sleep(0.001)
    other, body = easy(serve(keep_alive).port)
    assert transfers.perform(other)[0] is None
    assert body == [b"hi"]


def test_sockets_of_those_who_ask(serve: Callable[..., Any], transfers: Transfers) -> None:
    handle, _ = easy(serve(keep_alive).port)
    transfers.sockets[handle] = -1
    transfers.perform(handle)
    assert transfers.sockets.pop(handle) >= 0
