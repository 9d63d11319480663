"""Servers and proxies that accept and then say nothing, at each stage of dialing: iterations end in time."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from servers import drain, read_request
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from http_sites import Authority
    from running import Process
    from servers import Server

    Run = Callable[..., Process]
    Serve = Callable[[Callable[[socket.socket], Any]], Server]

#: VUs of both modules whose scenario is over after 1 s: all of them have begun to dial by then.
SCRIPT = """
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';

const scenario = (exec) => ({ executor: 'ramping-vus', startVUs: 5, stages: [{ duration: '1s', target: 5 }],
  gracefulRampDown: '0s', gracefulStop: '0s', exec });
export const options = {
  scenarios: { one: scenario('one'), other: scenario('other') }, hosts: { 'a.test': '127.0.0.1' },
  insecureSkipTLSVerify: true,
};
export function one() { ws.connect(__ENV.URL, () => {}); console.log('returned'); }
export function other() { new WebSocket(__ENV.URL).onerror = () => console.log('error'); }
"""
VUS = 10


def _silent(connection: socket.socket) -> None:
    drain(connection)


def _half_a_head(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgr")
    drain(connection)


def _half_a_hello(connection: socket.socket) -> None:
    connection.recv(1)
    connection.sendall(b"\x16\x03\x03")
    drain(connection)


def _no_body(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 1000\r\n\r\n")
    drain(connection)


def _socks_method(connection: socket.socket) -> None:
    connection.recv(64)
    connection.sendall(b"\5\0")
    drain(connection)


def _tunnel(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    drain(connection)


#: How a server behaves, the scheme of the URL and that of the proxy, "" for none.
STAGES: dict[str, tuple[Callable[[socket.socket], None], str, str]] = {
    "handshake": (_silent, "ws", ""),
    "head": (_half_a_head, "ws", ""),
    "body of a refusal": (_no_body, "ws", ""),
    "TLS": (_silent, "wss", ""),
    "TLS record": (_half_a_hello, "wss", ""),
    "HTTP proxy": (_silent, "ws", "http"),
    "HTTP proxy's tunnel": (_tunnel, "ws", "http"),
    "TLS in a tunnel": (_tunnel, "wss", "http"),
    "TLS of a proxy": (_silent, "ws", "https"),
    "SOCKS": (_silent, "ws", "socks5"),
    "SOCKS request": (_socks_method, "ws", "socks5"),
}


def stall(run: Run, url: str, **more: Any) -> None:
    """Run the script: nothing comes of its connections, and that ends with the scenarios."""
    done = run(SCRIPT, "-e", f"URL={url}", **more)
    assert done.code == 0, done.stderr
    assert done.messages("info") == []
    assert done.messages("error") == []
    assert "data_sent" in done.stdout
    assert "iterations" not in done.stdout


@pytest.mark.parametrize("stage", STAGES)
def test_dialing_is_interrupted(run: Run, serve: Serve, stage: str) -> None:
    serve_connection, scheme, proxy = STAGES[stage]
    server = serve(serve_connection)
    if proxy:
        address = f"{proxy}://127.0.0.1:{server.port}"
        env = {"HTTP_PROXY": address, "HTTPS_PROXY": address}
        stall(run, f"{scheme}://a.test/", env=env)
    else:
        stall(run, f"{scheme}://127.0.0.1:{server.port}/")
    assert server.accepted == VUS
    until(lambda: server.open == 0, "the end of the connections")


@pytest.fixture
def full() -> Iterator[int]:
    """The port of a server that accepts no connection any more: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port: int = listener.getsockname()[1]
        waiting = []
        for _ in range(8):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        yield port
        for one in waiting:
            one.close()


def test_connecting_is_interrupted(run: Run, full: int) -> None:
    stall(run, f"ws://127.0.0.1:{full}/")


def test_handshake_over_tls_is_interrupted(run: Run, serve: Serve, authority: Authority) -> None:
    def silent(connection: socket.socket) -> None:
        with authority.context("a.test").wrap_socket(connection, server_side=True) as secure:
            read_request(secure)
            drain(secure)

    stall(run, f"wss://a.test:{serve(silent).port}/")
