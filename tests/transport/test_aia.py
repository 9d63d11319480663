"""The option tlsAIAFetch: certificates that a server does not send, from a real server of certificates."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
from browser import OK
from certificates import Issued, issue
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from servers import echo, read_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

INCOMPLETE = (
    "AIA: certificate chain incomplete after fetching intermediates; verify that the AIA endpoint is "
    "reachable and returns a valid certificate"
)


class World:
    """An authority that is trusted, one below it, and a server that sends only its own certificate."""

    def __init__(self, serve: Callable[..., Any], folder: Path) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, bytes] = {}
        self._serve, self._folder = serve, folder
        self.port = serve(self._answer).port
        self.root = issue(is_authority=True, common_name="root")
        self.middle = issue(by=self.root, is_authority=True, common_name="middle")
        self.file = folder / "root.pem"
        self.file.write_bytes(self.root.pem)

    def url(self, path: str = "/issuer") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _answer(self, connection: socket.socket) -> None:
        path = read_request(connection).split()[1].decode()
        self.asked.append(path)
        answer = self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        connection.sendall(answer)

    def offer(self, path: str, data: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data)
        self.answers[path] = head + data

    def leaf(self, *names: str, urls: tuple[str, ...] | None = None) -> Issued:
        return issue(names or ("a.test",), by=self.middle, issuers_at=urls or (self.url(),))

    def start(self, leaf: Issued, handle: Callable[[Any], Any] | None = None) -> int:
        """Start a server that sends this certificate alone: its port."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure(context, self._folder)

        def answer(connection: socket.socket) -> None:
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    if handle is not None:
                        handle(secured)
                    else:
                        read_request(secured)
                        secured.sendall(OK)
            except ssl.SSLError:
                pass

        return self._serve(answer).port  # type: ignore[no-any-return]


@pytest.fixture
def world(serve: Callable[..., Any], tmp_path: Path) -> World:
    return World(serve, tmp_path)


def browser_of(world: World, browse: Any, **options: Any) -> Any:
    return browse(
        environment={"SSL_CERT_FILE": str(world.file)},
        hosts={"*.test": "127.0.0.1"},
        **{"tls_aia_fetch": True, **options},
    )


FORMATS: dict[str, Callable[[Issued], bytes]] = {
    "DER": lambda one: one.der,
    "PEM": lambda one: one.pem,
    "PKCS #7": lambda one: pkcs7.serialize_certificates([one.certificate], Encoding.DER),
    "PKCS #7 as PEM": lambda one: pkcs7.serialize_certificates([one.certificate], Encoding.PEM),
}


@pytest.mark.parametrize("form", FORMATS)
def test_the_missing_certificate_is_fetched_once(form: str, world: World, browse: Any) -> None:
    world.offer("/issuer", FORMATS[form](world.middle))
    url = f"https://a.test:{world.start(world.leaf())}/"
    browser = browser_of(world, browse)
    for _ in range(3):
        exchange = browser.send(url)
        assert exchange.failure is None
        assert exchange.body == b"hi"
    assert world.asked == ["/issuer"]


def test_not_without_the_option(world: World, browse: Any) -> None:
    world.offer("/issuer", world.middle.der)
    url = f"https://a.test:{world.start(world.leaf())}/"
    browser = browser_of(world, browse, tls_aia_fetch=None)
    assert browser.failure(url)[:2] == (1310, "x509: unknown authority")
    assert world.asked == []


def test_nor_if_nothing_is_verified(world: World, browse: Any) -> None:
    url = f"https://a.test:{world.start(world.leaf())}/"
    assert browser_of(world, browse, insecure_skip_tls_verify=True).send(url).body == b"hi"
    assert world.asked == []


def test_several_links(world: World, browse: Any) -> None:
    """Each certificate says where the next one is; addresses that lead nowhere are passed over."""
    below = issue(
        by=world.middle, is_authority=True, common_name="below", issuers_at=[world.url("/middle")]
    )
    leaf = issue(
        ["a.test"], by=below, issuers_at=[world.url("/gone"), "ldap://x/y", world.url("/moved")]
    )
    moved = b"HTTP/1.1 302 Found\r\nLocation: /below\r\nContent-Length: 0\r\n\r\n"
    world.answers["/moved"] = moved
    world.offer("/below", below.der)
    world.offer("/middle", world.middle.pem)
    assert browser_of(world, browse).send(f"https://a.test:{world.start(leaf)}/").body == b"hi"
    assert world.asked == ["/gone", "/moved", "/below", "/middle"]


@pytest.mark.parametrize(
    "data", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAA", b"\x30" * 70_000]
)
def test_what_is_no_certificate(data: bytes, world: World, browse: Any) -> None:
    world.offer("/issuer", data)
    browser = browser_of(world, browse)
    code, message, text = browser.failure(f"https://a.test:{world.start(world.leaf())}/")
    assert (code, message) == (1310, "x509: unknown authority")
    assert text.endswith(": x509: certificate signed by unknown authority")
    assert browser.warnings == [("warning", INCOMPLETE)]


def test_names_are_verified_all_the_same(world: World, browse: Any) -> None:
    world.offer("/issuer", world.middle.der)
    port = world.start(world.leaf("other.test"))
    code, message, text = browser_of(world, browse).failure(f"https://a.test:{port}/")
    assert (code, message) == (1311, "x509: certificate doesn't match hostname")
    assert text.endswith("x509: certificate is valid for other.test, not a.test")


def test_addresses_have_no_names_to_verify(world: World, browse: Any) -> None:
    world.offer("/issuer", world.middle.der)
    port = world.start(world.leaf("127.0.0.1"))
    message = browser_of(world, browse).failure(f"https://127.0.0.1:{port}/")[1]
    assert message.startswith("tlsAIAFetch: cannot verify hostname for IP-literal target")


def test_websockets_too(world: World, run: Any) -> None:
    world.offer("/issuer", world.middle.der)

    port = world.start(world.leaf(), echo)
    script = f"""
        import ws from 'k6/ws';
        import {{ WebSocket }} from 'k6/websockets';
        export const options = {{ tlsAIAFetch: true, hosts: {{ '*.test': '127.0.0.1' }} }};
        export default function () {{
          const answer = ws.connect('wss://a.test:{port}/', {{}}, (socket) => socket.on('open', () => socket.close()));
          console.log('ws', answer.status);
          const socket = new WebSocket('wss://a.test:{port}/');
          socket.onopen = () => {{ console.log('websockets', socket.readyState); socket.close(); }};
          socket.onerror = (event) => console.log(event.error);
        }}"""
    process = run(script, env={"SSL_CERT_FILE": str(world.file)})
    assert process.messages("info") == ["ws 101", "websockets 1"]
    assert world.asked == ["/issuer"]
