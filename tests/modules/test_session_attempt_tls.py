"""Attempts to connect by wss: the core shakes hands, for the first question and for repeated ones.

The texts of failures were recorded with k6.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Any

import pytest
from attempts import Turns, opens, run, says
from certificates import DAY, NOW, issue
from servers import drain, header, read_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from http_sites import Authority

    Serve = Callable[..., Any]
    Treatment = Callable[[socket.socket], bytes]

#: Refusals of certificates begin so.
REFUSED = "tls: failed to verify certificate: x509: "


@pytest.fixture(autouse=True)
def trusting(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


def tls(context: ssl.SSLContext, treat: Treatment) -> Treatment:
    """Treat a connection over TLS; its end is whole even if the client breaks the handshake off."""

    def treat_securely(connection: socket.socket) -> bytes:
        below = connection.dup()
        request = b"no TLS"
        with (
            contextlib.suppress(OSError),
            context.wrap_socket(connection, server_side=True) as secured,
        ):
            request = treat(secured)
        if treat is not reset:  # which the last descriptor of the connection causes
            with contextlib.suppress(OSError):
                below.shutdown(socket.SHUT_WR)
                drain(below)
        below.close()
        return request

    return treat_securely


def raw(answer: bytes) -> Treatment:
    """Answer the client's first record."""

    def treat(connection: socket.socket) -> bytes:
        connection.recv(10_000)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        drain(connection)
        return b"no TLS"

    return treat


def reset(connection: socket.socket) -> bytes:
    request = connection.recv(10_000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return request


def tampers(connection: socket.socket) -> bytes:
    request = read_request(connection)
    with socket.socket(fileno=connection.detach()) as below:
        below.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        drain(below)
    return request


def breaks_off(connection: socket.socket) -> bytes:
    """End the stream within a record."""
    request = read_request(connection)
    with socket.socket(fileno=connection.detach()) as below:
        below.sendall(b"\x17\x03\x03\x00\x20" + bytes(5))
    return request


def says_nothing(connection: socket.socket) -> bytes:
    request = read_request(connection)
    connection.close()
    return request


def secure(turns: Turns) -> str:
    return turns.url.replace("ws:", "wss:")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_same_again(
    tmp_path: Path, serve: Serve, authority: Authority, version: ssl.TLSVersion
) -> None:
    names: list[str | None] = []
    context = authority.context("127.0.0.1", "*.a.test")
    context.minimum_version = context.maximum_version = version
    context.sni_callback = lambda sock, name, context: names.append(name)
    turns = Turns(serve, tls(context, opens("m")))
    url = secure(turns)
    stage = run(tmp_path, url, "connects(6, { headers: { 'x-own': 'v' } });")
    assert stage.logged() == ["101||||m"] * 6
    assert len(set(turns.keys())) == 6
    [request] = turns.requests_without_keys()
    assert header(request, "X-Own") == "v"
    assert names == [None] * 6
    hosts = {"b.a.test": "127.0.0.1"}
    stage = run(tmp_path, url.replace("127.0.0.1", "b.a.test"), "connects(6);", hosts=hosts)
    assert stage.logged() == ["101||||m"] * 6
    assert names == [None] * 6 + ["b.a.test"] * 6


def test_a_name_that_is_looked_up(tmp_path: Path, serve: Serve, authority: Authority) -> None:
    turns = Turns(serve, tls(authority.context("localhost"), opens("m")))
    stage = run(tmp_path, secure(turns).replace("127.0.0.1", "localhost"), "connects(4);")
    assert stage.logged() == ["101||||m"] * 4


def test_bytes_are_counted_with_those_of_tls(
    tmp_path: Path, serve: Serve, authority: Authority
) -> None:
    """Alike for first and repeated questions, and as many as the server has got."""
    counts: list[int] = []

    def counts_bytes(connection: socket.socket) -> bytes:
        request = opens("m")(connection)
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        counts.append(struct.unpack_from("=128xQ", info)[0])
        return request

    turns = Turns(serve, tls(authority.context("127.0.0.1"), counts_bytes))
    stage = run(tmp_path, secure(turns), "connects(5);")
    assert len(turns.requests) == 5
    samples = stage.samples()
    fins = len(counts)  # Linux counts them
    assert [value for _, value in samples["data_sent"]] == [sum(counts) - fins]
    assert samples["data_received"][0][1] > 5 * 900


@pytest.mark.parametrize("is_repeated", [False, True])
def test_failures(tmp_path: Path, serve: Serve, authority: Authority, *, is_repeated: bool) -> None:
    context = authority.context("127.0.0.1")
    needs = {version: authority.context("127.0.0.1") for version in ("TLSv1_2", "TLSv1_3")}
    for version, each in needs.items():
        each.verify_mode = ssl.CERT_REQUIRED
        each.maximum_version = ssl.TLSVersion[version]
        authority.ca.configure_trust(each)
    treatments: dict[str, Treatment] = {
        "websocket: bad handshake": tls(
            context, says(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nbody")
        ),
        "remote error: tls: handshake failure": raw(b"\x15\x03\x03\x00\x02\x02\x28"),
        "remote error: tls: alert(220)": raw(b"\x15\x03\x03\x00\x02\x02\xdc"),
        "EOF": raw(b""),
        "read tcp PEER->PEER: read: connection reset by peer": reset,
        "tls: first record does not look like a TLS handshake": raw(
            b"HTTP/1.1 400 Bad Request\r\n\r\n"
        ),
        "tls: oversized record received with length 65535": raw(b"\x16\x03\x03\xff\xff"),
        "unexpected EOF": raw(b"\x16\x03\x03\x00\x7a\x02\x00"),
        REFUSED
        + "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs": tls(
            authority.context("other.test"), opens("m")
        ),
        "remote error: tls: certificate required": tls(needs["TLSv1_3"], opens("m")),
        "remote error: tls: handshake failure ": tls(needs["TLSv1_2"], opens("m")),
        "unexpected EOF ": tls(context, says_nothing),
        "unexpected EOF  ": tls(context, says(b"HTTP/1.1 101 Swit")),
        "unexpected EOF   ": tls(context, breaks_off),
        "read tcp PEER->PEER: read: connection reset by peer ": tls(context, reset),
        "local error: tls: bad record MAC": tls(context, tampers),
    }
    good = tls(context, opens("m"))
    # The client looks at the names of a refused certificate on a connection of its own, once.
    order = [
        each
        for text, treat in treatments.items()
        for each in ([good, treat] if "SANs" not in text else [good, treat, treat])
    ]
    turns = Turns(serve, *order)
    tag = "" if is_repeated else "{ headers: { x: `${turn}` } }"
    stage = run(
        tmp_path,
        secure(turns),
        f"for (let turn = 0; turn < {2 * len(treatments)}; turn += 1) connect({tag});",
    )
    found = [text.split("|") for text in stage.logged()]
    assert [each[0] for each in found[::2]] == ["101"] * len(treatments)
    assert found[1] in (["403", "body", "", ""], ["403", "body", "", "", "websocket: bad handshake"])
    assert [each[2] for each in found[3::2]] == [text.rstrip() for text in list(treatments)[1:]]
    assert not stage.process.shared["session"].attempts


def test_certificates_that_are_not_trusted(tmp_path: Path, serve: Serve) -> None:
    root = issue(is_authority=True, common_name="another root")
    expired = issue(["127.0.0.1"], by=root, begins=NOW - 2 * DAY, ends=NOW - DAY)
    contexts = []
    for number, each in enumerate((issue(["127.0.0.1"], by=root), expired)):
        folder = tmp_path / str(number)
        folder.mkdir()
        contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        each.configure(contexts[-1], folder)
    turns = Turns(serve, tls(contexts[0], opens("m")))
    stage = run(tmp_path, secure(turns), "connects(2);")
    text = f"0||{REFUSED}certificate signed by unknown authority|"
    assert stage.logged() == [text] * 2
    stage = run(tmp_path, secure(turns), "connects(2);", insecure_skip_tls_verify=True)
    assert stage.logged() == ["101||||m"] * 2
    (tmp_path / "root.pem").write_bytes(root.pem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(tmp_path / "root.pem"))
        turns = Turns(serve, tls(contexts[1], opens("m")))
        stage = run(tmp_path, secure(turns), "connects(2);")
    assert all(
        f"{REFUSED}certificate has expired or is not yet valid" in each for each in stage.logged()
    )


@pytest.mark.slow
@pytest.mark.parametrize("before", [0, 2])
def test_an_end_within_the_handshake(
    tmp_path: Path, serve: Serve, authority: Authority, before: int
) -> None:
    """The script closes its socket while the server is silent."""

    def silent(connection: socket.socket) -> bytes:
        drain(connection)
        return b"silent"

    good = tls(authority.context("127.0.0.1"), opens("m"))
    turns = Turns(serve, *[good] * before, silent)
    stage = run(
        tmp_path,
        secure(turns),
        f"""
        const next = (left) => {{
          const socket = new WebSocket(__ENV.URL);
          socket.onmessage = () => {{ socket.close(); next(left - 1); }};
          socket.onerror = (event) => console.log(event.error);
          socket.onclose = () => left || console.log('closed');
          if (!left) setTimeout(() => socket.close(), 50);
        }};
        next({before});
        """,
    )
    assert stage.logged() == ["closed before the connection was established", "closed"]
    assert not stage.process.shared["session"].attempts
