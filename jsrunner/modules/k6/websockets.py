"""Python half of `k6/websockets`: the sockets of a VU by their handles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from jsrunner.engine.interpreter import HostError, JSError, mend
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.k6.event_socket import EventSocket
from jsrunner.modules.k6.ws_session import text_of
from jsrunner.transport import url

if TYPE_CHECKING:
    from jsrunner.worker.vu import VU


class Websockets(HostModule):
    specifier = "k6/websockets"

    def __init__(self, vu: VU) -> None:
        super().__init__(vu)
        self._sockets: dict[int, EventSocket] = {}
        vu.interpreter.hot[5] = self._send_and_wait

    @operation
    def parse(self, address: str) -> str:
        """The URL as Go writes it."""
        shown = orjson.dumps(address).decode()
        try:
            parts = url.parse(address)
        except url.URLError as error:
            raise HostError(
                f"WebSocket requires valid url, but got {shown} which resulted in {error}"
            ) from None
        if parts.scheme not in ("ws", "wss"):
            raise HostError(f'WebSocket requires url with scheme ws or wss, but got "{parts.scheme}"')
        if parts.fragment:
            raise HostError(f'WebSocket requires no url fragment, but got "{parts.fragment}"')
        return str(parts)

    @operation
    def open(
        self,
        address: str,
        protocols: str,
        headers: dict[str, str],
        tags: dict[str, str],
        jar: int | None,
        compression: bool,
    ) -> int:
        """Begin to connect; the handle for whose events the script listens."""
        socket = EventSocket(self.vu, address, tags, self._forget)
        self._sockets[socket.handle] = socket
        cookies = self.vu.cookie_jar(jar)
        socket.dial(headers, cookies, compression=compression, protocols=protocols)
        return socket.handle

    def _forget(self, socket: EventSocket) -> None:
        self._sockets.pop(socket.handle, None)

    def _send_and_wait(self, name: bytes) -> bytes:
        r"""Send one text message, then wait: \x05, the socket's handle, a colon, the text."""
        handle, _, payload = name[1:].partition(b":")
        socket = self._sockets.get(int(handle))
        if socket is None:
            return self.vu.loop.wait(b"\x04")
        socket.send_text(payload)
        return self.vu.loop.send_and_wait(socket)

    @operation
    def send(self, entries: list[list[Any]]) -> None:
        """Send what has gathered, in one piece per socket.

        The entries are [handle, text] or [handle, what, kind]: texts and buffers that were packed,
        pings, close(code, reason), and how many messages were dropped instead of dispatched.
        """
        frames: dict[EventSocket, list[bytes]] = {}
        sizes: dict[EventSocket, int] = {}
        for handle, what, *kind in entries:
            socket = self._sockets.get(handle)
            if socket is None:
                continue
            if kind == ["undelivered"]:
                socket.undelivered(what)
            elif kind == ["close"]:
                frames.setdefault(socket, []).append(socket.close(*what))
            elif socket.is_open:
                data, size = self._frame(socket, what, kind)
                frames.setdefault(socket, []).append(data)
                sizes[socket] = sizes.get(socket, 0) + size
        for socket, each in frames.items():
            if data := b"".join(each):
                socket.send(data, len(each), sizes.get(socket, 0))

    def _frame(self, socket: EventSocket, what: Any, kind: list[str]) -> tuple[bytes, int]:
        """A message's or a ping's frame, and the size of its payload."""
        interpreter = self.vu.interpreter
        match kind:
            case []:
                payload = what.encode()
            case ["text"]:
                payload = interpreter.text(what)
            case ["binary"]:
                return interpreter.use_buffer(what, lambda data: (socket.data_frame(data), len(data)))
            case _:
                return socket.ping_frame(), 0
        return socket.text_frame(payload), len(payload)

    @operation
    def buffered(self, handle: int) -> int:
        """Payload bytes that the peer has not taken yet."""
        socket = self._sockets.get(handle)
        return socket.buffered if socket else 0

    @operation
    def abort(self, handle: int) -> None:
        """A handler has thrown: the connection ends without a close frame."""
        socket = self._sockets.get(handle)
        if socket is not None:
            socket.abort()

    @operation
    def warn(self, text: str) -> None:
        self.vu.log("warning", text)

    # -- Blob --------------------------------------------------------------------------------------

    @operation
    def encode(self, packed: int | str) -> object:
        interpreter = self.vu.interpreter
        return interpreter.put_buffer(mend(interpreter.text(packed)))

    @operation
    def decode(self, packed: int | str) -> object:
        interpreter = self.vu.interpreter
        return interpreter.put_text(text_of(interpreter.buffer(packed)).encode())

    @operation
    def load_streams(self) -> None:
        """Load what Blob.stream() makes."""
        interpreter, name = self.vu.interpreter, "jsrunner:blob_streams"
        if interpreter.native:
            if interpreter.load_now(f"import '{name}';", "jsrunner:load/streams"):
                raise JSError(f"{name} could not be loaded")
        else:
            interpreter.run_module(f"import '{name}';", "jsrunner:load/streams")

    # -- the iteration's end -----------------------------------------------------------------------

    def give_up(self) -> None:
        for socket in list(self._sockets.values()):
            socket.give_up()
        self._sockets.clear()

    def report(self) -> None:
        """Bring the metrics of open sockets up to date (once a second)."""
        for socket in self._sockets.values():
            socket.count()
