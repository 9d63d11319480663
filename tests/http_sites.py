"""The HTTP server of the compatibility suite in a thread, plain and with TLS; and one with HTTP/2."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Coroutine


def _suite() -> Any:
    path = Path(__file__).parent / "compat" / "server.py"
    spec = importlib.util.spec_from_file_location("compat_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Authority:
    """Certificates, and where those who trust them find whom to trust."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.file = folder / "authority.pem"
        self.ca.cert_pem.write_to_path(str(self.file))

    def context(self, *names: str) -> ssl.SSLContext:
        """A server's context with a certificate for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


class Threaded:
    """Runs `serve()` on an event loop of its own until `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(DEADLINE)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.run_until_complete(self._finish())
        self._loop.close()

    async def _finish(self) -> None:
        """End what is still under way, and let closed connections go."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        await asyncio.sleep(0)

    def _serve(self) -> Coroutine[Any, Any, None]:
        raise NotImplementedError

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE)


class Site(Threaded):
    """`http` and `https` are base URLs; the certificate is for 127.0.0.1 and localhost."""

    def __init__(self, authority: Authority) -> None:
        self._context = authority.context("127.0.0.1", "localhost")
        self.authority = authority
        super().__init__()

    async def _serve(self) -> None:
        from aiohttp import web

        runner = web.AppRunner(
            _suite().http_app(), access_log=None, auto_decompress=False, shutdown_timeout=0.1
        )
        await runner.setup()
        plain = web.TCPSite(runner, "127.0.0.1", 0)
        secure = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context)
        await plain.start()
        await secure.start()
        ports = [address[1] for address in runner.addresses]
        self.http, self.https = f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()


class Http2Site(Threaded):
    """A server that speaks HTTP/2 over TLS: it answers with the request's method, path and body."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        certificate = authority.ca.issue_cert("127.0.0.1")
        self._certificate, self._key = folder / "http2.pem", folder / "http2.key"
        certificate.cert_chain_pems[0].write_to_path(str(self._certificate))
        certificate.private_key_pem.write_to_path(str(self._key))
        super().__init__()
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline

    async def _serve(self) -> None:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        config = Config()
        config.bind = ["127.0.0.1:0"]
        config.certfile, config.keyfile = str(self._certificate), str(self._key)
        config.accesslog = config.errorlog = None
        sockets = config.create_sockets()
        self.port = sockets.secure_sockets[0].getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        config.create_sockets = lambda: sockets  # type: ignore[method-assign]
        self._ready.set()
        await serve(_answer, config, shutdown_trigger=self._stop.wait)


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    text = f"{scope['http_version']} {scope['method']} {scope['path']} {body.decode()}".encode()
    headers = [(b"content-type", b"text/plain"), (b"x-two", b"a"), (b"x-two", b"b")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})
