"""Listening, TLS and the end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from waiting import DEADLINE
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from jsrunner.errors import JsrunnerError
from jsrunner.server import certificate
from jsrunner.server.server import Addresses, running


def failure(**settings: object) -> JsrunnerError:
    async def start() -> None:
        async with running(**settings):  # type: ignore[arg-type]
            pass

    with pytest.raises(JsrunnerError) as caught:
        asyncio.run(start())
    return caught.value


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_tls_is_trusted_with_the_authority(server: Addresses, name: str) -> None:
    context = ssl.create_default_context(cafile=server.ca_file)
    url = server.wss.replace("127.0.0.1", name)
    with connect(f"{url}/echo", ssl=context) as connection:
        connection.send("secret")
        assert connection.recv(DEADLINE) == "secret"


def test_tls_is_not_trusted_without_it(server: Addresses) -> None:
    with pytest.raises(ssl.SSLCertVerificationError), connect(f"{server.wss}/echo"):
        pass


def test_variables() -> None:
    assert Addresses("ws://a", "http://a").variables() == {"WS_URL": "ws://a", "HTTP_URL": "http://a"}
    assert Addresses("ws://a", "http://a", grpc="a").variables()["GRPC_ADDR"] == "a"
    assert list(Addresses("a", "b", "c", "d", "file").variables()) == [
        "WS_URL",
        "HTTP_URL",
        "WSS_URL",
        "HTTPS_URL",
    ]


def test_messages_leave_at_once(server: Addresses) -> None:
    """Without TCP_NODELAY the second of two messages waits 40 ms for the client's acknowledgement."""

    async def options() -> list[int]:
        found = []
        async with (
            running("127.0.0.1", 0) as addresses,
            connect_async(f"{addresses.ws}/echo") as client,
        ):
            await client.send("hello")
            await client.recv()
            port = int(addresses.ws.rpartition(":")[2])
            for transport in _transports(asyncio.get_running_loop()):
                sock = transport.get_extra_info("socket")
                if sock.getsockname()[1] == port:
                    found.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return found

    assert asyncio.run(options()) == [1]


def _transports(loop: asyncio.AbstractEventLoop) -> list[asyncio.Transport]:
    return list(loop._transports.values())  # type: ignore[attr-defined]


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = failure(host="127.0.0.1", port=port)
        assert str(error) == f"listen tcp 127.0.0.1:{port}: bind: address already in use"
        assert error.hint is not None
        assert "--port" in error.hint
        other = failure(host="127.0.0.1", port=0, tls=True, tls_port=port)
        assert str(other) == str(error)


def test_hosts_that_are_none_of_ours() -> None:
    assert str(failure(host="no-such-host.invalid", port=1)) == (
        "listen tcp no-such-host.invalid:1: lookup no-such-host.invalid: no such host"
    )
    assert str(failure(host="192.0.2.1", port=0)) == (
        "listen tcp 192.0.2.1:0: bind: cannot assign requested address"
    )


def test_ipv6() -> None:
    async def echo() -> str | bytes:
        async with running("::1", 0) as addresses:
            assert addresses.ws.startswith("ws://[::1]:")
            async with connect_async(addresses.ws) as client:
                await client.send("six")
                return await client.recv()

    assert asyncio.run(echo()) == "six"


def test_tls_without_trustme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    error = failure(host="127.0.0.1", port=0, tls=True)
    assert str(error) == "TLS needs the package trustme"
    assert error.hint == "pip install 'jsrunner[serve]'"


@pytest.mark.slow
def test_the_end_says_going_away_and_waits_for_no_one() -> None:
    async def play() -> tuple[int, list[str]]:
        async with contextlib.AsyncExitStack() as stack:
            addresses = await stack.enter_async_context(running("127.0.0.1", 0, tls=True))
            port = int(addresses.ws.rpartition(":")[2])
            folder = Path(addresses.ca_file).parent
            idle = socket.create_connection(("127.0.0.1", port))
            stack.callback(idle.close)
            late = asyncio.ensure_future(connect_async(f"{addresses.ws}/?handshake=3600").__aenter__())
            client = await connect_async(f"{addresses.ws}/push?rate=0.001")
            sleeper = await connect_async(f"{addresses.ws}/slow?delay=3600")
            await sleeper.send("hello")
        with pytest.raises(ConnectionClosed) as caught:
            await client.recv()
        with pytest.raises(ConnectionClosed):
            await sleeper.recv()
        late.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await late
        assert caught.value.rcvd is not None
        return caught.value.rcvd.code, [one.name for one in folder.parent.glob(folder.name)]

    code, left = asyncio.run(asyncio.wait_for(play(), DEADLINE))
    assert code == 1001
    assert left == []


def test_a_failure_of_ours_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a bug")

    async def play() -> int:
        monkeypatch.setattr("jsrunner.server.binary.decode", fail)
        monkeypatch.setattr("jsrunner.server.pages.listing", fail)
        async with running("127.0.0.1", 0) as addresses:
            async with connect_async(f"{addresses.ws}/binary") as client:
                await client.send(b"anything")
                with pytest.raises(ConnectionClosed) as caught:
                    await client.recv()
            with pytest.raises(urllib.error.HTTPError, match="500") as page:
                await asyncio.to_thread(urllib.request.urlopen, addresses.http)
            page.value.close()
        assert caught.value.rcvd is not None
        return caught.value.rcvd.code

    assert asyncio.run(play()) == 1011
    assert capfd.readouterr().err.count("RuntimeError: a bug") == 2


def test_who_is_trusted(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("OURS\n")
    known = tmp_path / "known.pem"
    known.write_text("KNOWN\n")
    bundle = tmp_path / "authorities.pem"

    assert certificate.trusting(ca_file, {"SSL_CERT_FILE": str(known)}) == {
        "SSL_CERT_FILE": str(bundle)
    }
    assert bundle.read_text() == "OURS\nKNOWN\n"

    assert certificate.trusting(ca_file, {"SSL_CERT_DIR": "/certs"}) == {
        "SSL_CERT_FILE": str(bundle),
        "SSL_CERT_DIR": "/certs",
    }
    assert bundle.read_text() == "OURS\n"

    system = ssl.get_default_verify_paths()
    found = certificate.trusting(ca_file, {})
    assert found.get("SSL_CERT_DIR") == system.capath
    assert bundle.read_text().startswith("OURS\n")
