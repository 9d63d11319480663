"""The HTTP client against real servers: what it sends, what it makes of what comes, and of what does not."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from servers import drain, read_request

from jsrunner.options.model import Options
from jsrunner.transport.dial import Dialer
from jsrunner.transport.http import Call, Client, Exchange, Settings
from jsrunner.transport.url import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from http_sites import Authority, Http2Site, Site
    from servers import Server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Meter:
    id = 1
    bytes_sent = bytes_received = 0


class Browser:
    """A client with what it needs."""

    def __init__(self, environment: dict[str, str] | None = None, **options: Any) -> None:
        self.meter = Meter()
        chosen = Options(**options)
        environment = environment or {}
        self.settings = Settings(chosen, Dialer(chosen, environment), environment)
        self.client = Client(self.settings, self.meter)

    def send(self, url: str, method: str = "GET", **more: Any) -> Exchange:
        with gevent.Timeout(20):
            return self.client.exchange(Call(method, parse(url), **{"timeout": 10.0, **more}))

    def failure(self, url: str, **more: Any) -> tuple[int, str, str]:
        """(code, short text, full text with ports masked) of a request that fails."""
        exchange = self.send(url, **more)
        assert exchange.failure is not None, exchange.head
        return (
            exchange.failure.code,
            exchange.failure.message,
            exchange.failure.full_text("GET", parse(url)),
        )


@pytest.fixture
def browse() -> Iterator[Callable[..., Browser]]:
    made: list[Browser] = []

    def browse(**more: Any) -> Browser:
        made.append(Browser(**more))
        return made[-1]

    yield browse
    for one in made:
        one.client.close()


def url_of(server: Server, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.port}/"


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
    assert first == "GET /a%2Fb/../c?d=e%20f HTTP/1.1"
    assert host.startswith("Host: 127.0.0.1:")
    assert rest == []


def test_headers_cookies_and_body(serve: Any, browse: Any) -> None:
    lines = sent(
        serve,
        browse(),
        method="POST",
        lines=("Host: other.test", "X-Empty;", "X-One: 1", "Accept: text/x"),
        cookies="a=b; c=d",
        body=b"12345",
    )
    assert lines[0] == "POST / HTTP/1.1"
    assert sorted(lines[1:]) == [
        "Accept: text/x", "Content-Length: 5", "Cookie: a=b; c=d", "Host: other.test", "X-Empty:", "X-One: 1",
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["get", "PROPFIND", "DELETE"])
def test_methods_go_out_as_they_are_written(method: str, serve: Any, browse: Any) -> None:
    assert sent(serve, browse(), method=method)[0] == f"{method} / HTTP/1.1"


def test_a_large_body_waits_for_nobody(site: Site, browse: Any) -> None:
    body = bytes(range(256)) * 8192
    exchange = browse().send(site.http + "/echo", method="POST", body=body)
    assert exchange.body == body


def test_handles_are_used_again_whatever_came_before(site: Site, browse: Any) -> None:
    browser = browse()
    for turn in range(3):
        assert browser.send(site.http + "/echo", method="POST", body=b"x" * turn).body == b"x" * turn
        assert browser.send(site.http + "/status/204", cookies="a=1").head.status == 204
        assert browser.send(site.http + "/bytes/9", method="HEAD").body == b""
        assert b'"cookie"' not in browser.send(site.http + "/anything").body
        assert browser.send(site.http + "/bytes/4", discard=True).body == b""
        for number in range(12):
            line = f"X-Number: {number}"
            assert f'"x-number": "{number}"'.encode() in browser.send(
                site.http + "/anything", lines=(line,)
            ).body  # fmt: skip


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
    late = gevent.spawn(browser.send, site.http + "/delay/3000", timeout=0.05)
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
    with gevent.Timeout(20):
        while server.open:
            gevent.sleep(0.001)
    assert browser.send(site.http + "/status/200").head.status == 200


def test_close_ends_connections_and_a_later_call_makes_new_ones(site: Site, browse: Any) -> None:
    browser = browse()
    url = site.http + "/connection?key=close"
    assert browser.send(url).body == b'{"connection": 1}'
    browser.client.close()
    assert browser.send(url).body == b'{"connection": 2}'


def test_connections_are_not_kept_if_the_option_says_so(site: Site, browse: Any) -> None:
    browser = browse(no_connection_reuse=True)
    url = site.http + "/connection?key=reuse"
    assert [browser.send(url).body for _ in range(2)] == [b'{"connection": 1}', b'{"connection": 2}']


# -- TLS -----------------------------------------------------------------------------------------------


def test_tls_facts_and_bytes_on_the_wire(site: Site, browse: Any) -> None:
    browser = browse(environment={"SSL_CERT_FILE": str(site.authority.file)})
    for _ in range(2):
        exchange = browser.send(site.https + "/status/200")
        assert exchange.failure is None
        assert exchange.tls == ("tls1.3", "TLS_AES_256_GCM_SHA384")
    assert exchange.timings[2] == 0
    assert browser.meter.bytes_received > 1000  # the certificates too


def test_http2(http2_site: Http2Site, browse: Any) -> None:
    browser = browse(insecure_skip_tls_verify=True)
    exchange = browser.send(http2_site.url + "/x", method="POST", body=b"body", lines=("X-Y: z",))
    assert exchange.failure is None
    assert (exchange.head.proto, exchange.head.status_text) == ("HTTP/2.0", "200 OK")
    assert exchange.head.headers["X-Two"] == ["a", "b"]
    assert exchange.body == b"2 POST /x body"


def test_http1_if_godebug_says_so(http2_site: Http2Site, browse: Any) -> None:
    browser = browse(insecure_skip_tls_verify=True, environment={"GODEBUG": "x=1,http2client=0"})
    assert browser.send(http2_site.url + "/").head.proto == "HTTP/1.1"


def secure(authority: Authority, *names: str, highest: Any = None, client: bool = False) -> Any:
    """What treats a connection as a TLS server with a certificate for these names."""
    import ssl

    context = authority.context(*names)
    if highest is not None:
        context.maximum_version = highest
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.ca.configure_trust(context)

    def answer(connection: socket.socket) -> None:
        bare = connection.dup()
        try:
            wrapped = context.wrap_socket(connection, server_side=True)
        except ssl.SSLError:
            bare.shutdown(socket.SHUT_WR)
            drain(bare)  # closed before all is read, it would be a reset instead of the alert
            return
        finally:
            bare.close()
        with wrapped:
            read_request(wrapped)
            wrapped.sendall(OK)

    return answer


def test_a_client_certificate_goes_to_its_domains(
    authority: Authority, serve: Any, browse: Any
) -> None:
    mine = authority.ca.issue_cert("client.test")
    certificate = {
        "cert": mine.cert_chain_pems[0].bytes().decode(),
        "key": mine.private_key_pem.bytes().decode(),
    }
    server = serve(secure(authority, "127.0.0.1", client=True))
    trusting = {"SSL_CERT_FILE": str(authority.file)}
    given = browse(environment=trusting, tls_auth=[{**certificate, "domains": ["127.0.0.1"]}])
    assert given.send(url_of(server, "https")).body == b"hi"
    elsewhere = browse(environment=trusting, tls_auth=[{**certificate, "domains": ["other.test"]}])
    code, message, _ = elsewhere.failure(url_of(server, "https"))
    assert (code, message) == (1010, "remote error: tls: certificate required")


def test_versions_and_suites(authority: Authority, serve: Any, browse: Any) -> None:
    import ssl

    server = serve(secure(authority, "127.0.0.1", highest=ssl.TLSVersion.TLSv1_2))
    trusting = {"SSL_CERT_FILE": str(authority.file)}
    suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    exchange = browse(environment=trusting, tls_cipher_suites=[suite]).send(url_of(server, "https"))
    assert exchange.tls == ("tls1.2", suite)
    high = browse(environment=trusting, tls_version=("tls1.3", None))
    assert high.failure(url_of(server, "https"))[:2] == (
        1010, "remote error: tls: protocol version not supported",
    )  # fmt: skip


def test_certificates_that_are_not_trusted(
    authority: Authority, serve: Any, site: Site, browse: Any
) -> None:
    prefix = "tls: failed to verify certificate: x509: "
    code, message, text = browse(environment={"SSL_CERT_FILE": "/dev/null"}).failure(site.https + "/")
    assert (code, message) == (1310, "x509: unknown authority")
    assert text == f'Get "{site.https}/": {prefix}certificate signed by unknown authority'
    trusting = browse(environment={"SSL_CERT_FILE": str(authority.file)})
    url = url_of(serve(secure(authority, "other.test")), "https")
    code, message, text = trusting.failure(url)
    assert (code, message) == (1311, "x509: certificate doesn't match hostname")
    assert text == (
        f'Get "{url}": {prefix}cannot validate certificate for 127.0.0.1 because it doesn\'t contain '
        "any IP SANs"
    )


# -- failures ------------------------------------------------------------------------------------------


def replying(data: bytes, *, reset: bool = False) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return answer


BROKEN = "net/http: HTTP/1.x transport connection broken: "


@pytest.mark.parametrize(
    ("data", "code", "message", "text"),
    [
        (b"", 1000, "EOF", 'Get "URL": EOF'),
        (b"HTTP/1.1 200 OK\r\nContent-Le", 1000, "unexpected EOF", 'Get "URL": unexpected EOF'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", 1000, "unexpected EOF", "unexpected EOF"),
        (
            b"hello there\r\n\r\n",
            1000,
            'malformed HTTP response "hello there"',
            f'Get "URL": {BROKEN}malformed HTTP response "hello there"',
        ),
        (
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            1000,
            "malformed MIME header: missing colon",
            f'Get "URL": {BROKEN}malformed MIME header: missing colon',
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            1000,
            "invalid byte in chunk length",
            "invalid byte in chunk length",
        ),
    ],
)
def test_answers_that_are_none(
    data: bytes, code: int, message: str, text: str, serve: Any, browse: Any
) -> None:
    url = url_of(serve(replying(data)))
    assert browse().failure(url) == (code, message, text.replace("URL", url))


def test_a_reset_names_both_ends(serve: Any, browse: Any) -> None:
    server = serve(replying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", reset=True))
    code, message, text = browse().failure(url_of(server))
    assert (code, message) == (1220, "read: connection reset by peer")
    assert text.startswith("read tcp 127.0.0.1:")
    assert text.endswith(f"->127.0.0.1:{server.port}: read: connection reset by peer")


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
    found = browse().failure(url, timeout=0.1)
    assert found == (1050, "request timeout", text.replace("URL", url))
    assert browse().failure(url, timeout=0.0)[0] == 1050


def test_a_server_without_tls(serve: Any, browse: Any) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(OK)
        drain(connection)

    url = url_of(serve(answer), "https")
    assert browse().failure(url)[:2] == (1000, "http: server gave HTTP response to HTTPS client")


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("ftp://files.test/", 1000, 'unsupported protocol scheme "ftp"'),
        ("relative", 1000, 'unsupported protocol scheme ""'),
        ("http://", 1000, "http: no Host in request URL"),
        ("http://a..test/", 1101, "lookup: no such host"),
        ("http://www.blocked.test/", 1111, "hostname is blocked"),
        ("http://10.0.0.7/", 1110, "ip is blacklisted"),
        ("http://inner.test/", 1110, "ip is blacklisted"),
    ],
)
def test_hosts_that_are_not_to_be_had(url: str, code: int, message: str, browse: Any) -> None:
    browser = browse(
        blacklist_ips=("10.0.0.0/8",),
        block_hostnames=("*.blocked.test",),
        hosts={"inner.test": "10.0.0.8"},
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
