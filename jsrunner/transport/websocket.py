"""One open WebSocket of a client, RFC 6455: frames in bulk, events out.

The rules for frames, fragments and close codes are websocket-client's, of which this is a subclass;
what differs is the reading. The library asks the socket for 2 bytes, then the length, then the
payload; here a gevent watcher takes whatever has come (one `recv`), cuts it into frames in one loop
and wakes the VU once. Measured, 50 VUs in echo: 77 us CPU per round trip with the library's own
`send` and `recv`, 17-19 us so. The usual frame (FIN, text or binary, unmasked, nothing reserved)
takes the fast path in `_cut`; everything else goes through the library's checks.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Any, Final

from gevent import get_hub, getcurrent
from websocket import ABNF, WebSocket, WebSocketException

from jsrunner.transport.errors import MessageTooBig, ProtocolViolation
from jsrunner.transport.wire import wire_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.transport.deflate import Deflate

try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiled extension on this platform
    from websockets.utils import apply_mask

#: One `recv`: enough for a burst of small frames; larger ones cost page faults for each buffer.
RECEIVE_BYTES: Final = 65536
#: An incomplete frame of at least this payload is received into a buffer of its own, uncopied ...
LARGE_FRAME: Final = 4096
#: ... which grows from this size: what a peer announces it need not send.
_LARGE_BUFFER: Final = 1 << 20
#: From this size on a payload and its header are sent from where they are, without joining them.
_GATHER_BYTES: Final = 16384
#: Texts up to this size travel as JSON; longer ones beside it (see engine.native).
SHORT_TEXT: Final = 4096
#: Above this many events, or bytes of large messages, a VU that does not come back is not read from.
HIGH_WATER_EVENTS: Final = 4096
HIGH_WATER_BYTES: Final = 16 << 20
#: A message of more bytes ends the connection (1009): it would not fit into a VU's memory.
MAX_MESSAGE_BYTES: Final = 256 << 20

CLOSE_SENT: Final = "websocket: close sent"
_NAMES: Final = {
    1000: "normal",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no status",
    1006: "abnormal closure",
    1007: "invalid payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension missing",
    1011: "internal server error",
    1015: "TLS handshake error",
}

#: What can be sent.
Payload = bytes | bytearray | memoryview

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = ABNF.OPCODES


class _MaskKeys:
    """Masking keys, RFC 6455 section 5.3: random, drawn from the system a thousand at a time."""

    def __init__(self) -> None:
        self._pool, self._next = b"", 0

    def __call__(self) -> bytes:
        start = self._next
        if start >= len(self._pool):
            self._pool, start = os.urandom(4096), 0
        self._next = start + 4
        return self._pool[start : start + 4]


_mask_key = _MaskKeys()


def _head(first: int, size: int, key: bytes) -> bytes:
    if size < 126:
        return bytes((first, 0x80 | size)) + key
    if size < 65536:
        return bytes((first, 0xFE)) + size.to_bytes(2, "big") + key
    return bytes((first, 0xFF)) + size.to_bytes(8, "big") + key


def frame(first: int, payload: Payload) -> bytes:
    """A client's frame; `first` is its first byte (FIN, reserved bits, opcode)."""
    key = _mask_key()
    return _head(first, len(payload), key) + apply_mask(payload, key)


def close_text(code: int, reason: str = "") -> str:
    """How Go's error for a received close reads, e.g. `websocket: close 1011 (...): reason`."""
    name = f" ({_NAMES[code]})" if code in _NAMES else ""
    return f"websocket: close {code}{name}{': ' + reason if reason else ''}"


class Connection(WebSocket):
    """An open connection. Its events, oldest first, are in `events`:

    - bytes: a text message of at most SHORT_TEXT bytes, its UTF-8 not checked
    - ("text", payload), ("binary", payload): other messages, the text's UTF-8 valid
    - ("ping", payload), ("pong", payload)
    - ("error", text, fields), ("close", code, reason); the reason is None where no close frame came
      because of a reset or of a protocol violation
    - whatever its owner put there by `post`
    """

    def __init__(
        self,
        sock: Any,
        *,
        rest: bytes = b"",
        deflate: Deflate | None = None,
        strict: bool = False,
    ) -> None:
        super().__init__(enable_multithread=False, skip_utf8_validation=not strict)
        self.sock = sock
        self.stream: Any = sock
        #: Both ends' addresses; asked for now, because a connection that was reset has none.
        self.local: tuple[Any, ...] = ("", 0)
        self.peer = self.local
        with contextlib.suppress(OSError):
            self.local, self.peer = sock.getsockname(), sock.getpeername()
        self.connected = True
        self.events: list[Any] = []
        #: Called, in the hub, when events have come and nobody is parked in `wait`.
        self.on_events: Callable[[], None] | None = None
        self.bytes_sent = self.bytes_received = 0
        self._strict = strict
        self._deflate = deflate
        self._compressed = False
        # gevent's own recv and send park the greenlet; the plain socket below says EAGAIN instead.
        self._secure = hasattr(sock, "_sslobj")
        self._recv_now: Callable[[int], bytes] = sock._sslobj.read if self._secure else sock._sock.recv
        self._recv_into: Callable[[memoryview], int] = (
            self._read_into if self._secure else sock._sock.recv_into
        )
        self._send_now: Callable[[bytes], int] | None = None if self._secure else sock._sock.send
        self._try_send: Callable[[bytes | memoryview], int] = (
            sock._sslobj.write if self._secure else sock._sock.send
        )
        self._hub = get_hub()
        self._waiter: Any = None
        self._rest = b""  # of an incomplete small frame
        self._large = bytearray()  # of an incomplete large one: its payload ...
        self._filled = 0  # ... of which so many bytes are there ...
        self._large_size = 0  # ... of so many in all (0: no such frame)
        self._large_first = 0  # and its first byte
        self._queued = 0
        self._paused = False
        self._over = False
        self._reading = self._hub.loop.io(sock.fileno(), 1)
        if rest:
            self._take(rest)
        if not self._over:
            self._reading.start(self._on_readable)
            if self._secure:  # the TLS layer may hold what came with the handshake
                self._on_readable()

    # -- receiving ---------------------------------------------------------------------------------

    def wait(self) -> list[Any]:
        """All events, parking the calling greenlet until there is one."""
        if not self.events:
            self._waiter = getcurrent()
            try:
                self._hub.switch()
            finally:
                self._waiter = None
        events, self.events = self.events, []
        self.resume()
        return events

    def pause(self) -> None:
        """Read no further for now: the owner does not keep up."""
        if not self._over:
            self._paused = True
            self._reading.stop()

    def resume(self) -> None:
        """What has come so far is taken care of: read on if that was paused."""
        self._queued = 0
        if self._paused:
            self._paused = False
            if not self._over:
                self._reading.start(self._on_readable)

    def post(self, event: Any) -> None:
        """Append an event (from the hub: a timer's callback) and wake who waits."""
        self.events.append(event)
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            waiter.switch()
        elif self.on_events is not None:
            self.on_events()

    def read_now(self) -> None:
        """Read what has come, without waiting for the hub to notice."""
        if not self._over:
            self._on_readable()

    def _on_readable(self) -> None:
        while True:
            try:
                if self._large_size:
                    received = self._receive_large()
                else:
                    data = self._recv_now(RECEIVE_BYTES)
                    received = len(data)
                    if received:
                        self._take(data)
            except BlockingIOError:
                return
            except OSError as error:
                if self._secure and error.errno in (2, 3):  # SSL_ERROR_WANT_READ, WANT_WRITE
                    break
                # After a reset nothing is told but that the close frame cannot be sent; a TLS stream
                # that ends (6, SSL_ERROR_ZERO_RETURN, or 8, SSL_ERROR_EOF) is a FIN.
                self._end(1006 if self._secure and error.errno in (6, 8) else None)
                break
            if not received:
                self._end(1006)
                break
            self.bytes_received += received
            if not self._secure or self._over or self._paused:
                break
        if self.events:
            self._wake()

    def _read_into(self, view: memoryview) -> int:
        received: int = self.stream._sslobj.read(len(view), view)
        return received

    def _take(self, data: bytes) -> None:
        """Cut received bytes into frames; keep what is incomplete."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        try:
            self._cut(data)
        except (ProtocolViolation, WebSocketException, UnicodeDecodeError):
            self._fail(1002)
        except MessageTooBig:
            self._refuse()
        self._check_water()

    def _check_water(self) -> None:
        if len(self.events) > HIGH_WATER_EVENTS or self._queued > HIGH_WATER_BYTES:
            self.pause()

    def _cut(self, data: bytes) -> None:
        events, position, end = self.events, 0, len(data)
        fast = not self._strict
        while end - position >= 2:
            first, size = data[position], data[position + 1]
            start = position + 2
            if size >= 126:
                if size == 126:
                    start += 2
                    size = data[position + 2] << 8 | data[position + 3] if end >= start else end
                elif size == 127:
                    start += 8
                    size = int.from_bytes(data[position + 2 : start], "big") if end >= start else end
                else:
                    raise ProtocolViolation("masked frame")
            stop = start + size
            if stop > end:
                # RFC 6455, 5.5: a control frame's size is known to be wrong before its payload is here.
                if first & 8 and size > 125:
                    raise ProtocolViolation("control frame too long")
                if size > MAX_MESSAGE_BYTES and end >= start:
                    raise MessageTooBig
                if size >= LARGE_FRAME and end >= start:
                    self._begin_large(first, size, data[start:])
                    return
                break
            if first == 0x81 and size <= SHORT_TEXT and fast and not self.cont_frame.recving_frames:
                events.append(data[start:stop])
            else:
                self._frame(first, data[start:stop])
                if self._over:
                    return
            position = stop
        self._rest = data[position:]

    def _begin_large(self, first: int, size: int, payload: bytes) -> None:
        self._large_first, self._large_size, self._filled = first, size, len(payload)
        self._large = bytearray(min(size, _LARGE_BUFFER))
        if self._filled > len(self._large):
            self._large = bytearray(payload)
        self._large[: self._filled] = payload

    def _receive_large(self) -> int:
        """Go on with a large frame; how many bytes came."""
        buffer = self._large
        if self._filled == len(buffer):
            buffer.extend(bytes(min(len(buffer), self._large_size - len(buffer))))
        with memoryview(buffer) as view, view[self._filled :] as free:
            received = self._recv_into(free)
        self._filled += received
        if self._filled == self._large_size:
            self._large_size, self._large = 0, bytearray()
            try:
                self._frame(self._large_first, buffer)
            except (ProtocolViolation, WebSocketException, UnicodeDecodeError):
                self._fail(1002)
            except MessageTooBig:
                self._refuse()
            self._check_water()
        return received

    def _frame(self, first: int, payload: bytes | bytearray) -> None:
        """A frame that is not a short text: by the rules of websocket-client."""
        assembly = self.cont_frame
        if first in (0x81, 0x82) and not assembly.recving_frames:  # a message in one piece
            self._message(first & 15, payload)
            return
        final, reserved, opcode = first >> 7, first >> 4 & 7, first & 15
        payload = bytes(payload)
        if (
            reserved == 4
            and self._deflate
            and opcode in (_TEXT, _BINARY)
            and not assembly.recving_frames
        ):
            self._compressed, reserved = True, 0
        abnf = ABNF(final, reserved >> 2 & 1, reserved >> 1 & 1, reserved & 1, opcode, 0, payload)
        if opcode >= _CLOSE and (not final or len(payload) > 125):
            raise ProtocolViolation("fragmented or too long control frame")
        if opcode == _CLOSE and len(payload) == 1:
            payload = abnf.data = b""  # as Go: no status
        abnf.validate(skip_utf8_validation=False)
        if opcode == _CLOSE:
            self._closed_by_peer(payload)
        elif opcode >= _CLOSE:
            self.events.append(("ping" if opcode == _PING else "pong", payload))
        else:
            assembly.validate(abnf)
            if assembly.cont_data and len(assembly.cont_data[1]) + len(payload) > MAX_MESSAGE_BYTES:
                raise MessageTooBig
            if final and opcode != _CONTINUATION:
                self._message(opcode, payload)
                return
            if opcode != _CONTINUATION:
                abnf.data = bytearray(payload)  # type: ignore[assignment]  # what the library appends to, without copying it all
            assembly.add(abnf)
            if final:
                assert assembly.cont_data is not None
                opcode, message = assembly.cont_data[0], bytes(assembly.cont_data[1])
                assembly.cont_data = None
                assembly.recving_frames = None
                self._message(opcode, message)

    def _message(self, opcode: int, payload: bytes | bytearray) -> None:
        if self._compressed:
            assert self._deflate is not None
            self._compressed = False
            payload = self._deflate.decompress(payload, MAX_MESSAGE_BYTES)
        if opcode == _BINARY:
            self._queued += len(payload)
            self.events.append(("binary", payload))
            return
        if not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                if self._strict:
                    self._fail(1007)
                    return
                payload = payload.decode("utf-8", "go").encode()
        if len(payload) <= SHORT_TEXT:
            self.events.append(bytes(payload))
        else:
            self._queued += len(payload)
            self.events.append(("text", payload))

    def _closed_by_peer(self, payload: bytes) -> None:
        code = int.from_bytes(payload[:2], "big") if payload else 1005
        reason = payload[2:].decode()
        if code == 1014:  # registered later than the list that Go's library knows
            raise ProtocolViolation("close code")
        if code not in (1000, 1001):
            fields = {"code": code, "text": reason}
            self.events.append(("error", close_text(code, reason), fields))
        self.events.append(("close", code, reason))
        self._stop_reading()

    def _end(self, code: int | None) -> None:
        """The stream is over: by FIN (1006) or by a reset (None)."""
        reason = None if code is None else "unexpected EOF"
        if code is not None:
            fields = {"code": code, "text": reason}
            self.events.append(("error", close_text(code, "unexpected EOF"), fields))
        self.events.append(("close", code or 1001, reason))
        self._stop_reading()

    def _fail(self, code: int) -> None:
        """RFC 6455, 7.1.7: tell the peer what was wrong and read no further.

        The owner learns of it by the close frame that it cannot send any more, as with k6.
        """
        self.write_close(code)
        self.events.append(("close", 1001, None))
        self._stop_reading()

    def _refuse(self) -> None:
        """A message is too big: the owner tells the peer by the close frame that it sends."""
        self.events.append(("error", "websocket: read limit exceeded", {}))
        self.events.append(("close", 1009, ""))
        self._stop_reading()

    def _stop_reading(self) -> None:
        self._over = True
        self._rest, self._large, self._large_size = b"", bytearray(), 0
        self._reading.stop()

    # -- sending -----------------------------------------------------------------------------------

    def write(self, data: bytes) -> str | None:
        """Send frames, parking the greenlet while the peer does not read. Go's error text or None."""
        if self.close_frame:
            return CLOSE_SENT
        self.bytes_sent += len(data)
        try:
            if self._send_now is None:
                self.stream.sendall(data)
                return None
            try:
                sent = self._send_now(data)
            except BlockingIOError:
                sent = 0
            if sent < len(data) and getcurrent() is not self._hub:  # the hub must never wait
                self.stream.sendall(memoryview(data)[sent:])
            return None
        except OSError as error:
            return self._write_error(error)

    def write_text(self, payload: Payload) -> str | None:
        """Send a text message given as UTF-8."""
        return self._write_message(0x81, payload)

    def write_data(self, payload: Payload) -> str | None:
        """Send a binary message."""
        return self._write_message(0x82, payload)

    def _write_message(self, first: int, payload: Payload) -> str | None:
        if self._deflate or len(payload) < _GATHER_BYTES or self._secure:
            return self.write(self.message_frame(first, payload))
        if self.close_frame:
            return CLOSE_SENT
        key = _mask_key()
        head, masked = _head(first, len(payload), key), apply_mask(payload, key)
        self.bytes_sent += len(head) + len(masked)
        try:
            try:
                sent = self.stream._sock.sendmsg((head, masked))
            except BlockingIOError:
                sent = 0
            if sent < len(head):
                self.stream.sendall(head[sent:] + masked)
            elif sent < len(head) + len(masked):
                self.stream.sendall(memoryview(masked)[sent - len(head) :])
            return None
        except OSError as error:
            return self._write_error(error)

    def message_frame(self, first: int, payload: Payload) -> bytes:
        """The frame of a message, compressed if that was agreed on."""
        if self._deflate:
            return frame(first | 0x40, self._deflate.compress(payload))
        return frame(first, payload)

    def send_some(self, data: bytes | memoryview) -> int:
        """Send what can be sent without waiting; how many bytes. Raises OSError."""
        try:
            return self._try_send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if self._secure and error.errno in (2, 3):  # SSL_ERROR_WANT_READ, WANT_WRITE
                return 0
            raise

    def write_ping(self, payload: bytes) -> str | None:
        return self.write(frame(0x89, payload))

    def write_pong(self, payload: bytes) -> str | None:
        return self.write(frame(0x8A, payload))

    def write_close(self, code: int) -> str | None:
        """Send a close frame without reason (RFC 6455, 5.5.1); an empty one for 1005."""
        payload = b"" if code == 1005 else (code & 0xFFFF).to_bytes(2, "big")
        failure = self.write(frame(0x88, payload))
        self.close_frame = self.close_frame or ABNF(1, 0, 0, 0, _CLOSE, 1, payload)
        return failure

    def _write_error(self, error: OSError) -> str:
        """Go's text of a failed write."""
        reason = {
            errno.EPIPE: "broken pipe",
            errno.ECONNRESET: "connection reset by peer",
            errno.EBADF: "use of closed network connection",
        }.get(error.errno or 0, (os.strerror(error.errno) if error.errno else str(error)).lower())
        return f"write tcp {_address(self.local)}->{_address(self.peer)}: write: {reason}"

    def wire_bytes(self) -> tuple[int, int]:
        """(sent, received) on the wire, with the handshake and, where the system tells, TLS."""
        counted = self.bytes_sent, self.bytes_received
        return (wire_bytes(self.stream) or counted) if self._secure else counted

    def shut(self) -> None:
        """Close the TCP connection at once."""
        self._stop_reading()
        self._reading.close()
        self.connected = False
        self.stream.close()


def _address(name: tuple[Any, ...]) -> str:
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
