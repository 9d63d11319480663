"""The server: it listens and hands requests to `pages` and `paths`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from jsrunner.errors import JsrunnerError
from jsrunner.server import certificate, pages
from jsrunner.server.connection import Connection, Rejection, RequestTarget
from jsrunner.server.paths import SUBPROTOCOLS, Paths

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Sequence

    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response
    from websockets.typing import Subprotocol

#: Connections that wait for their acceptance: load tests open thousands at once.
_BACKLOG: Final = 4096
#: The most bytes of a message.
_MOST_BYTES: Final = 64 << 20
#: Seconds that a client gets to answer a close frame.
_CLOSE_TIMEOUT: Final = 1.0

# The package websockets logs clients that leave during a handshake. These records are not needed.
_LOGGER: Final = logging.getLogger("jsrunner.server")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a running server. Those of TLS are empty without TLS."""

    ws: str
    http: str
    wss: str = ""
    https: str = ""
    #: The file of the certificate authority that clients have to trust.
    ca_file: str = ""
    #: Host and port of the gRPC service; empty if the package protobuf is not installed.
    grpc: str = ""

    def variables(self) -> dict[str, str]:
        """Return the addresses by their names in the script's __ENV."""
        named = {
            "WS_URL": self.ws,
            "HTTP_URL": self.http,
            "WSS_URL": self.wss,
            "HTTPS_URL": self.https,
            "GRPC_ADDR": self.grpc,
        }
        return {name: value for name, value in named.items() if value}


@contextlib.asynccontextmanager
async def running(
    host: str, port: int, *, tls: bool = False, tls_port: int = 0, grpc_port: int = 0
) -> AsyncIterator[Addresses]:
    """Run a server as long as the block runs.

    Args:
        host: The address to listen on.
        port: The port of ws and http; 0 for a free port.
        tls: True to serve wss and https, too.
        tls_port: The port of wss and https; 0 for a free port.
        grpc_port: The port of the gRPC service; 0 for a free port.

    Yields:
        The addresses.

    Raises:
        JsrunnerError: An address cannot be listened on, or TLS lacks the package trustme.
    """
    _raise_file_limit()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jsrunner-")))
        context, ca_file = certificate.make(host, folder) if tls else (None, None)
        listener = stack.enter_context(_listen(host, port))
        secure_listener = stack.enter_context(_listen(host, tls_port)) if tls else None
        server = _Server()
        await server.start(stack, listener)
        address = _authority(host, listener)
        grpc = await _start_grpc(stack, host, grpc_port) if _has_protobuf() else ""
        if secure_listener is None:
            yield Addresses(f"ws://{address}", f"http://{address}", grpc=grpc)
            return
        await server.start(stack, secure_listener, context)
        secure = _authority(host, secure_listener)
        yield Addresses(
            f"ws://{address}",
            f"http://{address}",
            f"wss://{secure}",
            f"https://{secure}",
            str(ca_file),
            grpc,
        )


def _has_protobuf() -> bool:
    from importlib.util import find_spec

    return find_spec("google") is not None and find_spec("google.protobuf") is not None


async def _start_grpc(stack: contextlib.AsyncExitStack, host: str, port: int) -> str:
    """Listen for clients of the gRPC service; return its address. The first client has it imported."""

    def connect() -> asyncio.BaseProtocol:
        from jsrunner.server.grpc_server import Connecting

        return Connecting()

    listener = stack.enter_context(_listen(host, port))
    server = await asyncio.get_running_loop().create_server(connect, sock=listener, backlog=_BACKLOG)
    stack.callback(server.close)
    return _authority(host, listener)


class _Server:
    """The state that the listeners of a server share."""

    def __init__(self) -> None:
        self._paths = Paths()

    async def start(
        self,
        stack: contextlib.AsyncExitStack,
        listener: socket.socket,
        context: ssl.SSLContext | None = None,
    ) -> None:
        server = await serve(
            self._play,
            sock=listener,
            ssl=context,
            backlog=_BACKLOG,
            create_connection=Connection,
            process_request=self._answer,
            select_subprotocol=_select_subprotocol,
            logger=_LOGGER,
            server_header="jsrunner",
            max_size=_MOST_BYTES,
            open_timeout=None,
            close_timeout=_CLOSE_TIMEOUT,
            ping_interval=None,
        )
        stack.push_async_callback(_end, server)

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Return the response with a page or a rejection; None for an upgrade."""
        assert isinstance(connection, Connection)
        target = RequestTarget(request)
        try:
            if "Upgrade" not in request.headers:
                page = pages.answer(connection, target, self._paths.table)
                if page is not None:
                    return page
            delay = target.number("handshake", 0.0)
            connection.play = self._paths.open(target)
        except Rejection as rejection:
            return pages.rejection_response(connection, rejection)
        except Exception:
            traceback.print_exc()
            raise
        if delay:
            await asyncio.sleep(delay)
        return None

    async def _play(self, connection: ServerConnection) -> None:
        """Run the handler of a connection."""
        assert isinstance(connection, Connection)
        assert connection.play is not None
        try:
            await connection.play(connection)
        except ConnectionClosed:
            pass
        except Exception:
            traceback.print_exc()
            await connection.close(1011, "internal error")


async def _end(server: Server) -> None:
    """Close all connections with 1001, without waiting for unfinished handshakes."""
    server.close()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(server.wait_closed(), _CLOSE_TIMEOUT + 0.5)


def _select_subprotocol(
    connection: ServerConnection, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    """Select the first subprotocol of the client's that the path knows."""
    assert connection.request is not None
    if RequestTarget(connection.request).segments[0] != "subprotocol":
        return offered[0] if offered else None
    return next((name for name in offered if name in SUBPROTOCOLS), None)


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, of IPv4 if the host has such an address."""
    prefix = f"listen tcp {_join(host, port)}: "
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise JsrunnerError(f"{prefix}lookup {host}: no such host") from None
    family, kind, protocol, _, address = min(resolved, key=lambda info: info[0] != socket.AF_INET)
    # With the protocol, because asyncio sets TCP_NODELAY only on sockets that name their protocol.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        hint = "choose another port with --port; --port 0 takes a free port"
        raise JsrunnerError(f"{prefix}bind: {reason}", hint=hint) from None
    return listener


def _raise_file_limit() -> None:
    """Raise the limit of open files to its maximum: each connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _authority(host: str, listener: socket.socket) -> str:
    return _join(host, listener.getsockname()[1])


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
