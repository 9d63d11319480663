"""TLS of HTTP connections: who is trusted, what is negotiated, and what is said of failures."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest
from browser import OK, url_of
from core_secure import OldTLS
from servers import drain, read_request

from jsrunner.transport.openssl import lib

if TYPE_CHECKING:
    from pathlib import Path

    from http_sites import Authority, Site


def test_tls_facts_and_bytes_on_the_wire(site: Site, browse: Any) -> None:
    browser = browse(environment={"SSL_CERT_FILE": str(site.authority.file)})
    for _ in range(2):
        exchange = browser.send(site.https + "/status/200")
        assert exchange.failure is None
        assert exchange.tls == ("tls1.3", "TLS_AES_256_GCM_SHA384")
    assert exchange.timings[2] == 0
    assert browser.meter.bytes_received > 1000  # the certificates too


def test_a_log_of_keys(site: Site, browse: Any, tmp_path: Path) -> None:
    """Programs such as Wireshark decrypt connections with it."""
    log = tmp_path / "keys"
    log.write_text("before\n")
    environment = {"SSL_CERT_FILE": str(site.authority.file), "SSLKEYLOGFILE": str(log)}
    assert browse(environment=environment).send(site.https + "/status/200").failure is None
    lines = log.read_text().splitlines()
    assert lines[0] == "before"
    assert {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} <= {each.split()[0] for each in lines}
    assert all(len(each.split()) == 3 for each in lines[1:])
    missing = {**environment, "SSLKEYLOGFILE": str(tmp_path / "missing" / "keys")}
    assert "no such file" in browse(environment=missing).failure(site.https + "/")[1]


def secure(authority: Authority, *names: str, highest: Any = None, client: bool = False) -> Any:
    """Return a handler that acts as a TLS server with a certificate for these names."""
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
    server = serve(secure(authority, "127.0.0.1", highest=ssl.TLSVersion.TLSv1_2))
    trusting = {"SSL_CERT_FILE": str(authority.file)}
    for suite in (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    ):
        browser = browse(environment=trusting, tls_cipher_suites=[suite])
        assert browser.send(url_of(server, "https")).tls == ("tls1.2", suite)
    # Chosen suites that OpenSSL no longer has, or that only TLS 1.3 has, are not replaced by others.
    for suite in ("TLS_RSA_WITH_RC4_128_SHA", "TLS_AES_128_GCM_SHA256"):
        old = browse(environment=trusting, tls_cipher_suites=[suite], tls_version=(None, "tls1.2"))
        assert old.failure(url_of(server, "https"))[:2] == (
            1010, "remote error: tls: handshake failure",
        )  # fmt: skip
    high = browse(environment=trusting, tls_version=("tls1.3", None))
    assert high.failure(url_of(server, "https"))[:2] == (
        1010, "remote error: tls: protocol version not supported",
    )  # fmt: skip


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_old_versions(authority: Authority, serve: Any, browse: Any, version: str) -> None:
    number = {"1.0": lib.TLS1_VERSION, "1.1": lib.TLS1_1_VERSION, "1.2": lib.TLS1_2_VERSION}[version]

    def answer(connection: socket.socket) -> None:
        with connection:
            peer = OldTLS(connection, authority, number)
            read_request(peer)  # type: ignore[arg-type]
            peer.sendall(OK)

    url = url_of(serve(answer), "https")
    trusting = {"SSL_CERT_FILE": str(authority.file)}
    exchange = browse(environment=trusting, tls_version=("tls1.0", "tls1.2")).send(url)
    assert exchange.tls is not None
    assert (exchange.tls[0], exchange.body) == (f"tls{version}", b"hi")


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


def test_a_server_without_tls(serve: Any, browse: Any) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(OK)
        drain(connection)

    url = url_of(serve(answer), "https")
    code, message, text = browse().failure(url)
    assert (code, message) == (1301, "tls: first record does not look like a TLS handshake")
    assert text == f'Get "{url}": http: server gave HTTP response to HTTPS client'


def test_tls_in_tls(authority: Authority, serve: Any, browse: Any) -> None:
    trusting = {"SSL_CERT_FILE": str(authority.file)}

    def proxy(connection: socket.socket) -> None:
        with authority.context("127.0.0.1").wrap_socket(connection, server_side=True) as secured:
            read_request(secured)
            secured.sendall(OK)
            drain(secured)

    port = serve(proxy).port
    browser = browse(environment={**trusting, "HTTP_PROXY": f"https://127.0.0.1:{port}"})
    assert browser.send("http://far.test/").body == b"hi"
    browser = browse(environment={**trusting, "HTTPS_PROXY": f"https://127.0.0.1:{port}"})
    assert "not through an https:// one" in browser.failure("https://far.test/")[1]


def test_a_tunnel_to_tls(site: Site, serve: Any, browse: Any) -> None:
    def proxy(connection: socket.socket) -> None:
        target = read_request(connection).split()[1].decode()
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there = socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2])))
        back = threading.Thread(target=_pump, args=(there, connection))
        back.start()
        _pump(connection, there)
        back.join()
        there.close()

    server = serve(proxy)
    port = int(site.https.rpartition(":")[2])
    environment = {"HTTPS_PROXY": f"127.0.0.1:{server.port}", "SSL_CERT_FILE": str(site.authority.file)}
    browser = browse(environment=environment, hosts={"localhost.localdomain": "127.0.0.1"})
    code, message, _ = browser.failure(f"https://localhost.localdomain:{port}/")
    assert (code, message) == (1311, "x509: certificate doesn't match hostname")
    trusting = browse(environment=environment, insecure_skip_tls_verify=True)
    exchange = trusting.send(f"https://localhost.localdomain:{port}/status/200")
    assert exchange.failure is None
    assert exchange.peer == ("127.0.0.1", server.port)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    ("record", "code", "message"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x00", 1000, "EOF"),
        (b"\x15\x03\x03\x00\x02\x02\x79", 1010, "remote error: tls: encrypted client hello required"),
        (b"\x15\x03\x03\x00\x02\x02\xc8", 1010, "remote error: tls: alert(200)"),
        (b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", 1010, "local error: tls: error decoding message"),
    ],
)
def test_records_that_end_the_handshake(
    serve: Any, browse: Any, record: bytes, code: int, message: str
) -> None:
    """The codes and texts were recorded with k6."""

    def answer(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(record)
        connection.shutdown(socket.SHUT_WR)
        drain(connection)

    assert browse().failure(url_of(serve(answer), "https"))[:2] == (code, message)
