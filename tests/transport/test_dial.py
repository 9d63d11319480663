"""Dialling: where a name leads, and what comes of it. Real sockets, TLS and a real proxy."""

from __future__ import annotations

import errno
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from gevent import socket
from servers import drain, read_request, reserved_port

from jsrunner.options.model import Options
from jsrunner.transport.dial import Dialer
from jsrunner.transport.errors import DialError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., Any]


def peer_of(dialer: Dialer, host: str, port: int, **more: Any) -> tuple[str, int]:
    sock = dialer.dial(host, port, 0, secure=False, **more)
    try:
        found: tuple[str, int] = sock.getpeername()[:2]
        return found
    finally:
        sock.close()


def connect(dialer: Dialer, host: str, port: int, *, tls: bool) -> Any:
    """Return a connection, with TLS on demand."""
    sock = dialer.connect(host, port, 0, secure=tls)
    return dialer.secure(sock, host, port, ("http/1.1",), 0) if tls else sock


def failure(dialer: Dialer, host: str, port: int, *, tls: bool = False) -> str:
    with pytest.raises(DialError) as caught:
        connect(dialer, host, port, tls=tls).close()
    return str(caught.value)


@pytest.mark.parametrize(
    "hosts", [{"a.test": "127.0.0.1"}, {"*.test": "127.0.0.1"}, {"*": "127.0.0.1"}]
)
def test_hosts(serve: Serve, hosts: dict[str, str]) -> None:
    server = serve(drain)
    assert peer_of(Dialer(Options(hosts=hosts), {}), "a.test", server.port) == (
        "127.0.0.1",
        server.port,
    )


def test_hosts_with_ports(serve: Serve) -> None:
    server = serve(drain)
    dialer = Dialer(Options(hosts={"a.test": f"127.0.0.1:{server.port}", "b.test:7": "127.0.0.1"}), {})
    assert peer_of(dialer, "a.test", 1) == ("127.0.0.1", server.port)
    assert failure(dialer, "b.test", 8).endswith("no such host")


def test_hosts_catch_addresses(serve: Serve) -> None:
    server = serve(drain)
    dialer = Dialer(Options(hosts={"*": f"127.0.0.1:{server.port}"}), {})
    assert peer_of(dialer, "10.255.255.1", 9) == ("127.0.0.1", server.port)


def test_blocked_hostnames() -> None:
    dialer = Dialer(Options(block_hostnames=("*.test",), hosts={"a.test": "127.0.0.1"}), {})
    assert failure(dialer, "a.test", 1) == "hostname (a.test) is in a blocked pattern (*.test)"


def test_blacklisted_addresses() -> None:
    dialer = Dialer(Options(blacklist_ips=("127.0.0.0/8",), hosts={"a.test": "127.0.0.1"}), {})
    expected = "IP (127.0.0.1) is in a blacklisted range (127.0.0.0/8)"
    assert failure(dialer, "127.0.0.1", 1) == expected
    assert failure(dialer, "a.test", 1) == expected


def test_local_addresses(serve: Serve) -> None:
    seen: list[str] = []
    server = serve(lambda connection: seen.append(connection.getpeername()[0]))
    dialer = Dialer(Options(local_ips="127.0.0.2-127.0.0.4"), {})
    for vu in (1, 2, 3, 4):
        sock = dialer.dial("127.0.0.1", server.port, vu, secure=False)
        drain(sock)
        sock.close()
    assert seen == ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.2"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("preferIPv4", {"127.0.0.1", "127.0.0.2"}),
        ("onlyIPv4", {"127.0.0.1", "127.0.0.2"}),
        ("preferIPv6", {"::1"}),
        ("onlyIPv6", {"::1"}),
        ("any", {"127.0.0.1", "127.0.0.2", "::1"}),
    ],
)
@pytest.mark.parametrize("select", ["random", "roundRobin", "first"])
def test_dns_policies(
    monkeypatch: pytest.MonkeyPatch, policy: str, select: str, expected: set[str]
) -> None:
    asked = []

    def resolver(host: bytes, *_: object) -> list[Any]:
        asked.append(host)
        return [(0, 1, 6, "", (one, 0)) for one in ("::1", "127.0.0.1", "127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    dialer = Dialer(Options(dns={"policy": policy, "select": select}), {})
    found = [dialer._resolve("a.test", 1)[0] for _ in range(60)]
    assert len(asked) == 1  # by default answers live for 5 minutes
    if select == "first":
        assert len(set(found)) == 1
        assert found[0] in expected
    else:
        assert set(found) == expected
    if select == "roundRobin":
        assert found[: len(expected)] == found[len(expected) : 2 * len(expected)]


def test_dns_without_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *_: asked.append(host) or [(0, 1, 6, "", ("127.0.0.1", 0))]
    )
    dialer = Dialer(Options(dns={"ttl": "0"}), {})
    for _ in range(3):
        dialer._resolve("a.test", 1)
    assert len(asked) == 3


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", ".a", "x" * 300])
def test_unknown_names(host: str) -> None:
    text = failure(Dialer(Options(), {}), host, 80)
    assert text.startswith(f"lookup {host}")
    assert text.endswith("no such host")


def test_refused() -> None:
    with reserved_port() as port:
        text = failure(Dialer(Options(), {}), "127.0.0.1", port)
        assert text == f"dial tcp 127.0.0.1:{port}: connect: connection refused"
        text = failure(Dialer(Options(), {}), "::1", port)
        assert text == f"dial tcp [::1]:{port}: connect: connection refused"


def test_limit_of_open_files_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    dialer = Dialer(Options(), {}, lambda level, text: told.append((level, text)))

    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", none_left)
    for _ in range(3):
        assert failure(dialer, "127.0.0.1", 1) == "dial tcp 127.0.0.1:1: socket: too many open files"
    [(level, text)] = told
    assert level == "error"
    assert "ulimit -n" in text


# -- through a proxy -------------------------------------------------------------------------------


def test_proxy(serve: Serve) -> None:
    """Everything but loopback goes through it, also by the address that `hosts` gives the proxy."""
    requests: list[bytes] = []

    def proxy(connection: Any) -> None:
        requests.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.sendall(b"through" + connection.recv(10))

    server = serve(proxy)
    dialer = Dialer(
        Options(hosts={"proxy.test": f"127.0.0.1:{server.port}"}), {"HTTP_PROXY": "http://proxy.test"}
    )
    sock = dialer.dial("target.test", 81, 0, secure=False)
    sock.sendall(b"!")
    assert drain(sock) == b"through!"
    sock.close()
    assert requests[0].startswith(b"CONNECT target.test:81 HTTP/1.1\r\n")


def test_proxy_that_refuses(serve: Serve) -> None:
    def proxy(connection: Any) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    environment = {"HTTP_PROXY": f"http://127.0.0.1:{serve(proxy).port}"}
    assert failure(Dialer(Options(), environment), "target.test", 81) == "Forbidden"


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA, tmp_path: Path) -> Any:
    """Start a TLS server for these names: its port and what its handshakes came to."""
    listeners: list[Any] = []

    def start(
        *names: str, configure: Callable[[ssl.SSLContext], None] = lambda _: None
    ) -> tuple[int, list[Any]]:
        import socket as plain

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        configure(context)
        listener = plain.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        outcomes: list[Any] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(connection, server_side=True) as secured:
                        outcomes.append((secured.version(), secured.cipher(), secured.getpeercert()))
                        secured.sendall(b"hello")
                except OSError as error:
                    outcomes.append(error)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1], outcomes

    yield start
    for listener in listeners:
        listener.close()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return {"SSL_CERT_FILE": str(path)}


def greet(dialer: Dialer, host: str, port: int) -> bytes:
    sock = connect(dialer, host, port, tls=True)
    try:
        data: bytes = sock.recv(5)
        return data
    finally:
        sock.close()


LOCAL = {"*": "127.0.0.1"}


def test_trusted_server(secure: Any, trusted: dict[str, str]) -> None:
    port, outcomes = secure("good.test", "127.0.0.1")
    assert greet(Dialer(Options(hosts=LOCAL), trusted), "good.test", port) == b"hello"
    assert greet(Dialer(Options(), trusted), "127.0.0.1", port) == b"hello"
    assert outcomes[0][0] == "TLSv1.3"


def test_unknown_authority(secure: Any) -> None:
    port, _ = secure("good.test")
    text = failure(Dialer(Options(hosts=LOCAL), {}), "good.test", port, tls=True)
    assert text == "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    assert greet(Dialer(Options(hosts=LOCAL, insecure_skip_tls_verify=True), {}), "good.test", port)


def test_wrong_name(secure: Any, trusted: dict[str, str]) -> None:
    port, _ = secure("good.test")
    text = failure(Dialer(Options(hosts=LOCAL), trusted), "bad.test", port, tls=True)
    assert text.startswith("tls: failed to verify certificate: x509: certificate is valid for ")
    assert text.endswith(", not bad.test")
    text = failure(Dialer(Options(), trusted), "127.0.0.1", port, tls=True)
    assert text.endswith(
        "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"
    )


def test_no_tls_at_all(serve: Serve) -> None:
    server = serve(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    text = failure(Dialer(Options(), {}), "127.0.0.1", server.port, tls=True)
    assert text == "tls: first record does not look like a TLS handshake"


def test_versions(secure: Any, trusted: dict[str, str]) -> None:
    port, outcomes = secure("good.test")
    dialer = Dialer(Options(hosts=LOCAL, tls_version=("tls1.2", "tls1.2")), trusted)
    assert greet(dialer, "good.test", port) == b"hello"
    assert outcomes[-1][0] == "TLSv1.2"

    def only_new(context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_3

    port, _ = secure("good.test", configure=only_new)
    assert (
        failure(dialer, "good.test", port, tls=True)
        == "remote error: tls: protocol version not supported"
    )


def test_cipher_suites(secure: Any, trusted: dict[str, str]) -> None:
    port, outcomes = secure("good.test")
    options = Options(
        hosts=LOCAL,
        tls_version=("tls1.2", "tls1.2"),
        tls_cipher_suites=(
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ),
    )
    assert greet(Dialer(options, trusted), "good.test", port) == b"hello"
    assert "AES256-GCM-SHA384" in outcomes[-1][1][0]


def test_client_certificate(secure: Any, trusted: dict[str, str], authority: trustme.CA) -> None:
    def demand(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)

    port, outcomes = secure("good.test", configure=demand)
    own = authority.issue_cert("client.test")
    auth = {
        "domains": ["good.test", "*.other.test"],
        "cert": own.cert_chain_pems[0].bytes().decode(),
        "key": own.private_key_pem.bytes().decode(),
    }
    dialer = Dialer(Options(hosts=LOCAL, tls_auth=(auth,)), trusted)
    assert greet(dialer, "good.test", port) == b"hello"
    assert outcomes[-1][2]["subjectAltName"] == (("DNS", "client.test"),)
    without = Dialer(Options(hosts=LOCAL, insecure_skip_tls_verify=True, tls_auth=(auth,)), {})
    with pytest.raises((OSError, DialError)):
        assert greet(without, "good2.test", port) == b"hello"
