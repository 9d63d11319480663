"""The HTTP client against real servers: what it sends, what it makes of what comes, and of what does not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from browser import OK, Browser, replying, url_of
from servers import drain, read_request
from waiting import DEADLINE

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from http_sites import Site
    from servers import Server

# -- what is sent --------------------------------------------------------------------------------------


def sent(serve: Callable[..., Server], browser: Browser, path: str = "", **more: Any) -> list[str]:
    """The lines of the request's head, as the server sees them."""
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(OK)

    assert browser.send(url_of(serve(answer)) + path, **more).failure is None
    return seen[0].decode().split("\r\n\r\n")[0].split("\r\n")


def test_nothing_is_sent_that_was_not_given(serve: Any, browse: Any) -> None:
    first, host, *rest = sent(serve, browse(), "a%2Fb/../c?d=e f#g")
    assert first == "GET /a%2Fb/../c?d=e f HTTP/1.1"
    assert host.startswith("Host: 127.0.0.1:")
    assert rest == []


def test_headers_cookies_and_body(serve: Any, browse: Any) -> None:
    lines = sent(
        serve,
        browse(),
        method="POST",
        headers={"Host": "other.test", "X-Empty": "", "X-One": "1", "Accept": "text/x"},
        cookies="a=b; c=d",
        body=b"12345",
    )
    assert lines[0] == "POST / HTTP/1.1"
    assert lines[1:] == [
        "Host: other.test", "Content-Length: 5", "Accept: text/x", "Cookie: a=b; c=d", "X-Empty: ", "X-One: 1",
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["get", "PROPFIND", "DELETE"])
def test_methods_go_out_as_they_are_written(method: str, serve: Any, browse: Any) -> None:
    assert sent(serve, browse(), method=method)[0] == f"{method} / HTTP/1.1"


def test_a_large_body_waits_for_nobody(site: Site, browse: Any) -> None:
    body = bytes(range(256)) * 8192
    exchange = browse().send(site.http + "/echo", method="POST", body=body)
    assert exchange.body == body


def test_connections_are_used_again_whatever_came_before(site: Site, browse: Any) -> None:
    browser = browse()
    for turn in range(3):
        assert browser.send(site.http + "/echo", method="POST", body=b"x" * turn).body == b"x" * turn
        assert browser.send(site.http + "/status/204", cookies="a=1").head.status == 204
        assert browser.send(site.http + "/bytes/9", method="HEAD").body == b""
        assert b'"cookie"' not in browser.send(site.http + "/anything").body
        assert browser.send(site.http + "/bytes/4", discard=True).body == b""
        for number in range(12):
            headers = {"X-Number": str(number)}
            body = browser.send(site.http + "/anything", headers=headers).body
            assert f'"x-number": "{number}"'.encode() in body


# -- what comes ----------------------------------------------------------------------------------------


def test_a_response(serve: Any, browse: Any) -> None:
    def answer(connection: socket.socket) -> None:
        for _ in range(2):
            read_request(connection)
            connection.sendall(OK)

    server = serve(answer)
    browser = browse()
    first, second = browser.send(url_of(server)), browser.send(url_of(server))
    for exchange in (first, second):
        assert (exchange.head.status_text, exchange.head.proto, exchange.body) == (
            "200 OK",
            "HTTP/1.1",
            b"hi",
        )
        assert exchange.peer == ("127.0.0.1", server.port)
        assert exchange.tls is None
        assert all(one >= 0 for one in exchange.timings)
    assert server.accepted == 1
    assert first.timings[1] > 0
    assert first.timings[0] >= first.timings[1]
    assert second.timings[1:3] == (0, 0)
    assert browser.meter.bytes_received == 2 * len(OK)
    host = f"Host: 127.0.0.1:{server.port}"
    assert browser.meter.bytes_sent == 2 * len(f"GET / HTTP/1.1\r\n{host}\r\n\r\n")


def test_interim_responses_and_trailers_are_no_part_of_the_head(serve: Any, browse: Any) -> None:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            b"2\r\nhi\r\n0\r\nX-Sum: 9\r\n\r\n"
        )
        drain(connection)

    exchange = browse().send(url_of(serve(answer)))
    assert exchange.failure is None
    assert exchange.head.headers == {}
    assert exchange.body == b"hi"


def test_greenlets_share_a_client(site: Site, browse: Any) -> None:
    browser = browse()
    urls = [site.http + f"/delay/{number % 5}" for number in range(30)] + [
        site.http + "/status/404"
    ] * 5
    found = [gevent.spawn(browser.send, url) for url in urls]
    gevent.joinall(found, raise_error=True)
    assert [one.value.head.status for one in found] == [200] * 30 + [404] * 5


def test_a_failure_does_not_end_the_others(site: Site, browse: Any) -> None:
    browser = browse()
    slow = gevent.spawn(browser.send, site.http + "/delay/100")
    refused = gevent.spawn(browser.send, "http://127.0.0.1:1/")
    late = gevent.spawn(browser.send, site.http + "/delay/5000", timeout=1.0)
    gevent.joinall([slow, refused, late], raise_error=True)
    assert slow.value.body == b"late"
    assert refused.value.failure.code == 1212
    assert late.value.failure.code == 1050


def test_an_interrupted_request_leaves_nothing_behind(serve: Any, site: Site, browse: Any) -> None:
    browser = browse()
    server = serve(drain)
    waiting = gevent.spawn(browser.send, url_of(server))
    while server.open == 0:
        gevent.sleep(0.001)
    waiting.kill()
    with gevent.Timeout(DEADLINE):
        while server.open:
            gevent.sleep(0.001)
    assert browser.send(site.http + "/status/200").head.status == 200


def test_close_ends_connections_and_a_later_call_makes_new_ones(site: Site, browse: Any) -> None:
    browser = browse()
    url = site.http + "/connection?key=close"
    assert browser.send(url).body == b'{"connection": 1}'
    browser.client.close()
    assert browser.send(url).body == b'{"connection": 2}'


def test_a_kept_connection_that_has_ended_is_no_failure(serve: Any, browse: Any) -> None:
    """A request that cannot be repeated uses a connection that is known to be alive."""

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)

    server = serve(answer)
    browser = browse()
    for method in ("GET", "POST", "DELETE", "GET", "PUT"):
        exchange = browser.send(url_of(server), method=method, body=b"x")
        assert exchange.failure is None, method
        with gevent.Timeout(DEADLINE):
            while server.open:
                gevent.sleep(0.001)
    assert server.accepted == 5


def test_a_request_is_made_again_only_if_that_does_no_harm(serve: Any, browse: Any) -> None:
    """The server reads the second request of a connection, then closes."""

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)
        read_request(connection)

    server = serve(answer)
    browser = browse()
    assert browser.send(url_of(server)).body == b"hi"
    assert browser.send(url_of(server)).body == b"hi"
    assert server.accepted == 2
    exchange = browser.send(url_of(server), method="POST", body=b"x")
    assert exchange.failure is not None
    assert exchange.failure.message == "EOF"


def test_how_many_connections_wait(serve: Any, browse: Any) -> None:
    def answering(count: int) -> Callable[[socket.socket], None]:
        all_have_asked = threading.Barrier(count)

        def answer(connection: socket.socket) -> None:
            while read_request(connection):
                all_have_asked.wait(DEADLINE)
                connection.sendall(OK)

        return answer

    first, second = serve(answering(4)), serve(answering(2))
    browser = browse(batch=3, batch_per_host=2)

    def send(server: Any, count: int) -> None:
        sent = [gevent.spawn(browser.send, url_of(server)) for _ in range(count)]
        gevent.joinall(sent, raise_error=True)

    def wait_for(*open_ones: int) -> None:
        with gevent.Timeout(DEADLINE):
            while (first.open, second.open) != open_ones:
                gevent.sleep(0.001)

    send(first, 4)
    wait_for(2, 0)
    send(second, 2)
    wait_for(1, 2)


def test_connections_are_not_kept_if_the_option_says_so(site: Site, browse: Any) -> None:
    browser = browse(no_connection_reuse=True)
    url = site.http + "/connection?key=reuse"
    assert [browser.send(url).body for _ in range(2)] == [b'{"connection": 1}', b'{"connection": 2}']


# -- failures ------------------------------------------------------------------------------------------


def test_refused(browse: Any) -> None:
    assert browse().failure("http://u:secret@127.0.0.1:1/") == (
        1212,
        "dial: connection refused",
        'Get "http://u:***@127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", 'Get "URL": request timeout'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "request timeout"),
    ],
)
def test_timeouts(data: bytes, text: str, serve: Any, browse: Any) -> None:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)
        drain(connection)

    url = url_of(serve(answer))
    found = browse().failure(url, timeout=1.0)
    assert found == (1050, "request timeout", text.replace("URL", url))
    assert browse().failure(url, timeout=0.0)[0] == 1050


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("ftp://files.test/", 1000, 'unsupported protocol scheme "ftp"'),
        ("relative", 1000, 'unsupported protocol scheme ""'),
        ("http://", 1000, "http: no Host in request URL"),
        ("http://a..test/", 1101, "lookup: no such host"),
        (f"http://{'x' * 300}/", 1101, "lookup: no such host"),
        ("http://a.test:99999/", 1210, "dial tcp: address 99999: invalid port"),
        ("http://127.0.0.1:99999/", 1210, "dial tcp: address 99999: invalid port"),
        ("http://www.blocked.test/", 1111, "hostname is blocked"),
        ("http://10.0.0.7/", 1110, "ip is blacklisted"),
        ("http://inner.test/", 1110, "ip is blacklisted"),
    ],
)
def test_hosts_that_are_not_to_be_had(url: str, code: int, message: str, browse: Any) -> None:
    browser = browse(
        blacklist_ips=("10.0.0.0/8",),
        block_hostnames=("*.blocked.test",),
        hosts={"inner.test": "10.0.0.8", "a.test": "127.0.0.1"},
    )
    assert browser.failure(url)[:2] == (code, message)


# -- where to ------------------------------------------------------------------------------------------


def test_hosts_lead_elsewhere(serve: Any, browse: Any) -> None:
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(OK)

    server = serve(answer)
    browser = browse(hosts={"shop.test": f"127.0.0.1:{server.port}", "*.wild.test": "127.0.0.1"})
    assert browser.send("http://shop.test/").peer == ("127.0.0.1", server.port)
    assert browser.send(f"http://a.wild.test:{server.port}/").body == b"hi"
    assert b"Host: shop.test\r\n" in seen[0]
    assert f"Host: a.wild.test:{server.port}\r\n".encode() in seen[1]


def test_client_addresses(serve: Any, browse: Any) -> None:
    peers: list[str] = []

    def answer(connection: socket.socket) -> None:
        peers.append(connection.getpeername()[0])
        replying(OK)(connection)

    browser = browse(local_ips="127.0.0.9,127.0.0.10")
    assert browser.send(url_of(serve(answer))).body == b"hi"
    assert peers == ["127.0.0.9"]


def test_a_proxy_gets_the_whole_url(serve: Any, browse: Any) -> None:
    seen: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(OK)

    server = serve(proxy)
    browser = browse(environment={"HTTP_PROXY": f"http://us%65r:pw@127.0.0.1:{server.port}"})
    assert browser.send("http://far.test/x").body == b"hi"
    assert seen[0].startswith(b"GET http://far.test/x HTTP/1.1\r\nHost: far.test\r\n")
    assert b"\r\nProxy-Authorization: Basic dXNlcjpwdw==\r\n" in seen[0]


def test_a_proxy_that_refuses_a_tunnel(serve: Any, browse: Any) -> None:
    server = serve(replying(b"HTTP/1.1 403 Go away\r\nContent-Length: 0\r\n\r\n"))
    browser = browse(environment={"HTTPS_PROXY": f"http://127.0.0.1:{server.port}"})
    assert browser.failure("https://far.test/") == (1000, "Go away", 'Get "https://far.test/": Go away')


def test_a_proxy_that_is_not_there(browse: Any) -> None:
    browser = browse(environment={"HTTP_PROXY": "127.0.0.1:1"})
    text = "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused"
    assert browser.failure("http://far.test/")[:2] == (1200, text)
    assert browse(environment={"HTTP_PROXY": "127.0.0.1:1", "NO_PROXY": "far.test"}, hosts={
        "far.test": "127.0.0.1:1"}).failure("http://far.test/")[0] == 1212  # fmt: skip
