from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from gevent import socket
from servers import drain, read_request

from jsrunner.transport.errors import DialError
from jsrunner.transport.proxy import Proxies, Proxy, tunnel

if TYPE_CHECKING:
    from collections.abc import Callable

BOTH = {"HTTP_PROXY": "http://plain:1", "https_proxy": "secure:2"}


@pytest.mark.parametrize(
    ("host", "secure", "exceptions", "expected"),
    [
        ("a.com", False, "", "http://plain:1"),
        ("a.com", True, "", "http://secure:2"),
        ("localhost", False, "", None),
        ("127.0.0.9", True, "", None),
        ("::1", True, "", None),
        ("10.0.0.1", False, "", "http://plain:1"),
        ("a.com", False, "*", None),
        ("a.com", False, "a.com", None),
        ("b.a.com", False, "a.com", None),
        ("ba.com", False, "a.com", "http://plain:1"),
        ("b.a.com", False, ".a.com", None),
        ("a.com", False, ".a.com", "http://plain:1"),
        ("b.a.com", False, "*.a.com", None),
        ("a.com", False, "x.com, a.com", None),
        ("a.com", False, "a.com:80", None),
        ("a.com", False, "a.com:81", "http://plain:1"),
        ("10.1.2.3", False, "10.0.0.0/8", None),
        ("11.1.2.3", False, "10.0.0.0/8", "http://plain:1"),
        ("10.1.2.3", False, "10.1.2.3", None),
        ("A.com.", False, "a.com", None),
    ],
)
def test_which_proxy(host: str, secure: bool, exceptions: str, expected: str | None) -> None:
    found = Proxies({**BOTH, "NO_PROXY": exceptions}).proxy_for(host, 80, secure=secure)
    assert (found.url if found else None) == expected


def test_no_proxy_without_the_variables() -> None:
    assert Proxies({}).proxy_for("a.com", 80, secure=False) is None


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ("http://p:3128", ("p", 3128, "")),
        ("http://p", ("p", 80, "")),
        ("https://p", ("p", 443, "")),
        ("http://u:a%40b@p:1", ("p", 1, "Basic " + base64.b64encode(b"u:a@b").decode())),
        ("http://u@p:1", ("p", 1, "Basic " + base64.b64encode(b"u:").decode())),
        ("http://[::1]:8", ("::1", 8, "")),
        ("socks5://p", ("p", 1080, "")),
    ],
)
def test_addresses(proxy: str, expected: tuple[str, int, str]) -> None:
    found = Proxy.parse(proxy)
    assert (found.host, found.port, found.authorization) == expected


def test_what_is_no_address() -> None:
    with pytest.raises(DialError, match="invalid proxy address"):
        Proxies({"HTTP_PROXY": "http://p:99999"}).proxy_for("a.com", 80, secure=False)


def ask(serve: Callable[..., Any], answer: bytes, host: str = "target") -> tuple[list[bytes], Any]:
    requests: list[bytes] = []

    def handle(connection: Any) -> None:
        requests.append(read_request(connection))
        connection.sendall(answer)
        if b" 200 " in answer:
            drain(connection)

    server = serve(handle)
    client = socket.create_connection(("127.0.0.1", server.port))
    try:
        tunnel(client, Proxy.parse("http://x@proxy"), host, 99)
    finally:
        client.close()
    return requests, client


def test_tunnel(serve: Callable[..., Any]) -> None:
    requests, _ = ask(serve, b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", "::1")
    assert requests == [
        b"CONNECT [::1]:99 HTTP/1.1\r\nHost: [::1]:99\r\nUser-Agent: Go-http-client/1.1\r\n"
        b"Proxy-Authorization: Basic eDo=\r\n\r\n"
    ]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "Bad Gateway"),
        (b"HTTP/1.1 407\r\n\r\n", "unknown status code"),
        (b"HTTP/1.1 200 OK\r\n", "unexpected EOF"),
        (b"SSH-2.0\r\n", 'malformed HTTP response "SSH-2.0"'),
        (b"", "unexpected EOF"),
    ],
)
def test_refused_tunnel(serve: Callable[..., Any], answer: bytes, text: str) -> None:
    def handle(connection: Any) -> None:
        read_request(connection)
        connection.sendall(answer)

    client = socket.create_connection(("127.0.0.1", serve(handle).port))
    with pytest.raises(DialError) as caught:
        tunnel(client, Proxy.parse("proxy"), "target", 99)
    client.close()
    assert str(caught.value) == text


# -- SOCKS 5 -------------------------------------------------------------------------------------------


def socks(replies: list[tuple[int, bytes]], seen: list[bytes]) -> Callable[[Any], None]:
    """A proxy that reads so many bytes before each reply."""

    def handle(connection: Any) -> None:
        for size, reply in replies:
            data = b""
            while len(data) < size and (piece := connection.recv(size - len(data))):
                data += piece
            seen.append(data)
            connection.sendall(reply)
        drain(connection)

    return handle


DONE = b"\5\0\0\1\x7f\0\0\1\0\x50"


@pytest.mark.parametrize(
    ("host", "address", "reply"),
    [
        ("a.test", b"\3\6a.test", DONE),
        ("127.0.0.9", b"\1\x7f\0\0\x09", DONE),
        ("::1", b"\4" + bytes(15) + b"\1", b"\5\0\0\3\1a\0\x50"),
    ],
)
def test_socks(serve: Callable[..., Any], host: str, address: bytes, reply: bytes) -> None:
    seen: list[bytes] = []
    server = serve(socks([(3, b"\5\0"), (5 + len(address), reply + b"!")], seen))
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        tunnel(client, Proxy.parse("socks5://proxy"), host, 80)
        assert client.recv(1) == b"!"
    assert seen == [b"\5\1\0", b"\5\1\0" + address + b"\0\x50"]


def test_socks_with_a_password(serve: Callable[..., Any]) -> None:
    seen: list[bytes] = []
    replies = [(4, b"\5\2"), (9, b"\1\0"), (11, DONE)]
    with socket.create_connection(("127.0.0.1", serve(socks(replies, seen)).port)) as client:
        tunnel(client, Proxy.parse("socks5://me:word@proxy"), "a.bc", 80)
    assert seen[1] == b"\1\2me\4word"


@pytest.mark.parametrize(
    ("replies", "text"),
    [
        ([(3, b"\4\0")], "unexpected protocol version 4"),
        ([(3, b"\5\xff")], "no acceptable authentication methods"),
        ([(3, b"\5")], "EOF"),
        ([(3, b"\5\0"), (3, b"\5\5\0\1")], "socks connect tcp proxy:1080->a.bc:80: connection refused"),
        ([(3, b"\5\0"), (3, b"\5\x20\0\1")], "socks connect tcp proxy:1080->a.bc:80: unknown code: 32"),
    ],
)  # fmt: skip
def test_socks_that_refuses(
    serve: Callable[..., Any], replies: list[tuple[int, bytes]], text: str
) -> None:
    def handle(connection: Any) -> None:
        for size, reply in replies:
            connection.recv(size)
            connection.sendall(reply)

    with (
        socket.create_connection(("127.0.0.1", serve(handle).port)) as client,
        pytest.raises((DialError, OSError)) as caught,
    ):
        tunnel(client, Proxy.parse("socks5://proxy"), "a.bc", 80)
    assert str(caught.value) == text
