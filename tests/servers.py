"""Servers that do what they should not: each connection is a thread with a plain socket."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def read_request(connection: socket.socket) -> bytes:
    """A request's head."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            break
        data += piece
    return data


def header(request: bytes, name: str) -> str:
    for line in request.decode("latin-1").split("\r\n"):
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return ""


def accept_answer(request: bytes, *, rest: bytes = b"", extra: str = "") -> bytes:
    """The answer that accepts a WebSocket handshake; `rest` are the first frames."""
    key = header(request, "Sec-WebSocket-Key").encode()
    answer = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {answer}\r\n{extra}\r\n"
    ).encode() + rest


def accept(connection: socket.socket, *, rest: bytes = b"", extra: str = "") -> bytes:
    """Answer a WebSocket handshake; `rest` are the first frames, in the same packet."""
    request = read_request(connection)
    connection.sendall(accept_answer(request, rest=rest, extra=extra))
    return request


def frame(payload: bytes, opcode: int = 1, *, final: bool = True, reserved: int = 0) -> bytes:
    """A server's frame."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def read_frame(connection: socket.socket) -> tuple[int, bytes]:
    """A client's frame, unmasked: (first byte, payload). Raises EOFError at the end."""
    first, second = _exactly(connection, 2)
    assert second & 0x80, "a client's frames are masked"
    size = second & 0x7F
    if size > 125:
        size = int.from_bytes(_exactly(connection, 2 if size == 126 else 8), "big")
    key = _exactly(connection, 4)
    payload = _exactly(connection, size)
    return first, bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def echo(connection: socket.socket) -> None:
    """Return every message, and the close frame."""
    accept(connection)
    with contextlib.suppress(EOFError):
        while True:
            first, payload = read_frame(connection)
            if first & 15 == 9:
                connection.sendall(frame(payload, 10))
            elif first & 15 != 10:
                connection.sendall(frame(payload, first & 15))
            if first & 15 == 8:
                return


def drain(connection: socket.socket) -> bytes:
    """Everything until the peer closes."""
    data = b""
    with contextlib.suppress(OSError):
        while piece := connection.recv(65536):
            data += piece
    return data


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 that refuses connections until a program of the test listens at it.

    A socket that is bound, and does not listen, keeps the system from giving the port to others. A program that
    sets SO_REUSEADDR, as those in Go and Dask do, can listen there nevertheless.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class Server:
    """Serves each connection with `serve(connection)`; its errors are kept in `failures`."""

    def __init__(self, serve: Callable[[socket.socket], Any]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/"
        self.accepted = 0
        self.open = 0
        self.failures: list[BaseException] = []
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self.open += 1
                self._connections.append(connection)
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        try:
            self._serve(connection)
        except OSError:
            pass  # the peer has gone, as many tests want it to
        except BaseException as error:
            self.failures.append(error)
        finally:
            connection.close()
            with self._lock:
                self.open -= 1

    def refuse(self) -> None:
        """Refuse connections from now on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        self.refuse()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
