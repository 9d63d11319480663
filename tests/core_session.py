"""Sessions of the core on real sockets: the VU's end is the core's, the peer's end is the test's."""

from __future__ import annotations

import ctypes
import socket as native
import ssl
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from core_vu import COUNTER, DEADLINE, TREND, VU, collect, until
from gevent import socket
from gevent.ssl import SSLContext
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from jsrunner.engine.engine import CLOSED, DEFLATE, INFLATE
from jsrunner.engine.interpreter import encode_value
from jsrunner.modules.session import inflate
from jsrunner.options.model import Options
from jsrunner.transport.tls import TLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from http_sites import Authority

    from jsrunner.transport.deflate import Deflate

#: JavaScript of a session: `connect(isBlocking, on)` makes one and has the test connect it; its events are
#: noted in `seen`, and handled by `on[name](value, more, session)`.
SESSIONS = (Path(__file__).parent / "core_sessions.js").read_text()


class Peer:
    """The server's end of a connection: plain bytes out, the package websockets' frames in."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.protocol = Protocol(Side.SERVER, max_size=None)
        self.extensions: list[Any] = []

    def send(self, *frames: Frame, piece: int = 1 << 30) -> None:
        data = b"".join(one.serialize(mask=False, extensions=self.extensions) for one in frames)
        for start in range(0, len(data), piece):
            self.sock.sendall(data[start : start + piece])
            gevent.sleep(0)

    def frames(self, count: int = 1 << 30) -> list[Frame]:
        """The next frames of the client, unmasked and inflated; fewer if the stream ends before."""
        self.protocol.extensions = self.extensions
        found: list[Frame] = []
        with gevent.Timeout(DEADLINE):
            while len(found) < count:
                data = self.sock.recv(65536)
                if not data:
                    break
                self.protocol.receive_data(data)
                if self.protocol.parser_exc is not None:
                    raise self.protocol.parser_exc
                found += [one for one in self.protocol.events_received() if isinstance(one, Frame)]
        return found

    def end(self) -> None:
        """End the stream in good order, as TCP has it, and also TLS."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.unwrap()
        self.sock.close()

    def reset(self) -> None:
        """Have the kernel send a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def text(payload: str) -> Frame:
    return Frame(Opcode.TEXT, payload.encode())


def tcp_pair(buffers: int = 0) -> tuple[Any, Any]:
    """Both ends of a connection over the loopback, perhaps with kernel buffers of about so many bytes.

    Whoever calls this may be in an operation, which must not give way.
    """
    with native.create_server(("127.0.0.1", 0)) as listener:
        if buffers:
            listener.setsockopt(native.SOL_SOCKET, native.SO_RCVBUF, buffers)
        client = native.socket()
        if buffers:
            client.setsockopt(native.SOL_SOCKET, native.SO_SNDBUF, buffers)
            client.setsockopt(native.SOL_SOCKET, native.SO_RCVBUF, buffers)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
    server.setsockopt(native.IPPROTO_TCP, native.TCP_NODELAY, 1)
    if buffers:
        server.setsockopt(native.SOL_SOCKET, native.SO_SNDBUF, buffers)
    return socket.socket(fileno=client.detach()), socket.socket(fileno=server.detach())


class Links:
    """Connects the sessions of one VU: for each one that dials, `peers` has the other end."""

    def __init__(self, vu: VU, authority: Authority | None = None) -> None:
        self.vu = vu
        self.library = vu.library
        queues(self.library)
        self.peers: list[Peer] = []
        #: Keys of sessions in the order in which they dialed.
        self.keys: list[int] = []
        self._authority = authority
        if authority is not None:
            self._tls = TLS(Options(), {"SSL_CERT_FILE": str(authority.file)})
        #: What comes behind the handshake, whether to compress, and the kernel's buffers.
        self.rest = b""
        self.deflate: Deflate | None = None
        self.buffers = 0
        self.is_closed = False
        #: Whether sessions wait for `open` instead of being opened when they dial.
        self.is_held = False
        #: Shakes hands at the peer's end, by the server's context.
        self.accept: Callable[[Any, ssl.SSLContext], Any] = lambda sock, context: context.wrap_socket(
            sock, server_side=True
        )
        self._connecting = [self.library.core_series_create(one) for one in (COUNTER, TREND)]
        self.series = [self.library.core_series_create(one) for one in (COUNTER, COUNTER, TREND, TREND)]
        #: The same for the core, behind ws_sessions and ws_connecting.
        self._numbers = (ctypes.c_int32 * 6)(*self._connecting, *self.series)
        vu.engine.handlers[CLOSED] = lambda *_: None
        vu._named["dial"] = self._dial
        vu.interpreter.operations[INFLATE] = lambda slot, generation, data: self._inflate(data)
        vu.interpreter.operations[DEFLATE] = lambda slot, generation, data: self._compress(data)

    def _inflate(self, data: bytes) -> bytes | None:
        assert self.deflate is not None
        return inflate(self.deflate, data, 1 << 20)

    def _compress(self, data: bytes) -> bytes:
        assert self.deflate is not None
        return self.deflate.compress(data)

    def _dial(self, key: int) -> None:
        self.keys.append(key)
        if not self.is_held:
            if self._authority is not None:
                gevent.spawn(self.open, key)
            else:
                self.open(key)

    def open(self, key: int) -> bool:
        """Connect a session; return whether it still wants to be."""
        client, server = tcp_pair(self.buffers)
        slot, generation = key & 0xFFFFFFFF, key >> 32
        target, accepting = None, None
        if self._authority is not None:
            context = SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.ca.issue_cert("127.0.0.1").configure_cert(context)
            accepting = gevent.spawn(self.accept, server, context)
            target = self._tls.target("127.0.0.1", ())
        if self.library.core_dial_adopt(
            slot, generation, client.fileno(), b"", 0, time.monotonic() + DEADLINE, target
        ):
            client.close()
        else:
            client.detach()
        if accepting is not None:
            server = accepting.get(timeout=DEADLINE)
        self.peers.append(Peer(server))
        payload = encode_value("outcome")
        is_open: bool = self.library.core_session_open(
            slot,
            generation,
            self.deflate is not None,
            self._numbers,
            time.monotonic(),
            payload,
            len(payload),
            self.rest,
            len(self.rest),
        )
        self.vu.engine.serve()
        return is_open

    def fail(self, key: int, payload: object = "no") -> bool:
        """Tell a session that there is no connection."""
        data = encode_value(payload)
        failed: bool = self.library.core_session_fail(key & 0xFFFFFFFF, key >> 32, data, len(data))
        self.vu.engine.serve()
        return failed

    def peer(self, number: int = 0) -> Peer:
        """The peer of the session that was opened as this one."""
        until(lambda: len(self.peers) > number)
        return self.peers[number]

    def measured(self) -> list[Any]:
        """Messages sent and received, round trips of pings and durations (ms) since the last time."""
        self.library.core_sessions_count()
        found = collect(self.library)
        return [found.get(one) for one in self.series]

    @property
    def bytes(self) -> tuple[int, int]:
        """The bytes that the VU has sent and received since the last call."""
        sent, received = ctypes.c_uint64(), ctypes.c_uint64()
        self.library.core_vu_take_bytes(self.vu.index, ctypes.byref(sent), ctypes.byref(received))
        return sent.value, received.value

    def close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        for peer in self.peers:
            peer.sock.close()
        self.vu.close()
        self.vu.engine.serve()
        del self.vu.engine.handlers[CLOSED]
        self.library.core_session_rules(False, 0, 256 << 20, 0)
        queues(self.library)


def queues(
    library: Any,
    *,
    session: int = 1 << 40,
    vu: int = 1 << 40,
    patience: float = DEADLINE,
    last_patience: float = 0.2,
) -> None:
    """Bound what waits to be sent, and for how long."""
    library.core_session_queues(session, vu, patience, last_patience)


def rules(
    library: Any, *, strict: bool = False, frame: int = 0, message: int = 0, fragments: int = 0
) -> None:
    """Set the rules of sessions that open from now on."""
    library.core_session_rules(strict, frame, message, fragments)
