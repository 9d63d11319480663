"""A connected socket on gevent's loop, as HTTP reads from it and writes to it.

One greenlet at a time waits for data; others go on meanwhile. Written bytes go out in the
background. Measured with 50 greenlets and a keep-alive GET each: 10 us CPU per request, half of it
in the kernel (libcurl's multi interface: 25).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol, cast

from gevent import get_hub, getcurrent

from jsrunner.transport.errors import DialError
from jsrunner.transport.wire import ends_of, socket_below, wire_bytes

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gevent._types import _TimerWatcher
    from greenlet import greenlet

    from jsrunner.transport.connection import Connection
    from jsrunner.transport.tls_socket import TLSSocket

#: Bytes of one `recv`.
_RECEIVE_BYTES: Final = 65536
#: Bytes after which a greenlet that never waits for data yields to others and to timers.
_MOST_AT_ONCE: Final = 1 << 20
#: libev's events.
_READ, _WRITE = 1, 2

#: Nanoseconds of a clock that only goes forward.
clock = time.perf_counter_ns


class Expired(Exception):
    """The timeout of an exchange has passed."""


class Meter(Protocol):
    """A counter of bytes on the wire: a VU."""

    @property
    def id(self) -> int:
        """The VU's number, from 1."""
        ...

    def add_bytes(self, sent: int, received: int) -> None:
        """Count bytes that were sent and received."""


class _Watcher(Protocol):
    """gevent's watcher of a socket."""

    #: The events that are reported; changed while the watcher is stopped.
    events: int

    def start(self, callback: Callable[[int], None], *, pass_events: bool) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Stream:
    """One connection. Its owner closes it; used by one greenlet at a time and by the hub."""

    def __init__(self, connection: Connection, meter: Meter) -> None:
        self._tls: TLSSocket | None = None
        if hasattr(connection, "shake_hands"):  # its class is imported with OpenSSL only
            self._tls = cast("TLSSocket", connection)
        #: gevent's socket, below TLS if there is TLS.
        self.sock = cast("socket.socket", connection) if self._tls is None else self._tls.sock
        self.peer: tuple[str, int] = self.sock.getpeername()[:2]
        #: Both ends as Go shows them.
        self.ends = ends_of(self.sock)
        self._meter = meter
        # gevent's own send and recv park the greenlet; what is below them says EAGAIN.
        below = socket_below(self.sock)
        self._send: Callable[[bytes | memoryview], int] = (
            self._tls.write_now if self._tls else below.send
        )
        self._receive: Callable[[int], bytes] = self._receive_tls if self._tls else below.recv
        self._counted = (0, 0)
        self._unsent: list[memoryview] = []
        #: Moment when the kernel had taken all written bytes, and the error that prevented it.
        self.sent_at = 0
        self.write_error: OSError | None = None
        #: True if there is nothing to read until the hub reports the socket as readable.
        self._is_drained = True
        #: Bytes read since the last wait.
        self._taken = 0
        #: Bytes that the core had read when it returned the connection, and its read error.
        self._read_before = b""
        self._error_before: OSError | None = None
        self._waiter: greenlet | None = None
        self._expired = False
        self.is_closed = False
        #: Called in the hub when the socket is readable and no greenlet waits for data.
        self.on_readable: Callable[[], None] = self._end_idle
        self._hub = get_hub()
        self._timer: _TimerWatcher | None = None
        self._watcher = cast("_Watcher", self._hub.loop.io(self.sock.fileno(), _READ))
        self._watcher.start(self._on_ready, pass_events=True)

    # -- the core, which may use the connection meanwhile --------------------------------------------

    def lend(self) -> None:
        """Stop watching the socket until `rejoin`."""
        self._watcher.stop()

    def rejoin(self, data: bytes = b"", error: OSError | None = None) -> None:
        """Take back a connection that was lent to the core.

        Args:
            data: Bytes that the core has read; `read` returns them again.
            error: The core's read error, None without one.
        """
        self._read_before, self._error_before = data, error
        self._is_drained = True
        self._watcher.start(self._on_ready, pass_events=True)

    # -- time ----------------------------------------------------------------------------------------

    def expire_in(self, seconds: float) -> None:
        """Let `read` raise Expired after so many seconds from now; until `stay`."""
        # A new one: libev starts a timer that was stopped with the rest of its time.
        self._close_timer()
        self._timer = self._hub.loop.timer(seconds)
        self._expired = False
        self._timer.start(self._on_expired, update=True)

    def stay(self) -> None:
        """Forget the deadline."""
        if self._timer is not None:
            self._timer.stop()

    def _on_expired(self) -> None:
        self._expired = True
        if self._waiter is not None:
            self._waiter.throw(Expired)

    # -- writing -------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send `data`; bytes that the kernel does not take at once go out in the background.

        An error is kept for the reader: the peer may have said why it reads no further.
        """
        self._is_drained = True
        if not self._unsent:
            try:
                sent = self._send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self.write_error = error
                return
            if self._tls is None:
                self._meter.add_bytes(sent, 0)
            if sent == len(data):
                self.sent_at = clock()
                return
            self._unsent.append(memoryview(data)[sent:])
            self._watch(_READ | _WRITE)
        else:
            self._unsent.append(memoryview(data))

    @property
    def has_unsent(self) -> bool:
        """True if bytes wait to be sent."""
        return bool(self._unsent)

    def _write_on(self) -> None:
        """Send waiting bytes: the socket is writable again. Runs in the hub."""
        try:
            while self._unsent:
                sent = self._send(self._unsent[0])
                if self._tls is None:
                    self._meter.add_bytes(sent, 0)
                if sent < len(self._unsent[0]):
                    self._unsent[0] = self._unsent[0][sent:]
                else:
                    del self._unsent[0]
        except BlockingIOError:
            return
        except OSError as error:
            self._unsent.clear()
            self.write_error = error
        else:
            self.sent_at = clock()
        if not self.is_closed:
            self._watch(_READ)

    def _watch(self, events: int) -> None:
        """Change the events of the socket that the hub reports."""
        self._watcher.stop()
        self._watcher.events = events
        self._watcher.start(self._on_ready, pass_events=True)

    # -- reading -------------------------------------------------------------------------------------

    def read(self) -> bytes:
        """Return received bytes, and park the greenlet until there are some; b"" at the end.

        Raises:
            Expired: The timeout has passed.
            DialError: The bytes are no TLS.
            OSError: The read has failed.
        """
        if self._read_before:
            data, self._read_before = self._read_before, b""
            return data
        if self._error_before is not None:
            error, self._error_before = self._error_before, None
            raise error
        if self._is_drained or self._taken > _MOST_AT_ONCE:
            self._park()
        while True:
            try:
                data = self._receive(_RECEIVE_BYTES)
            except BlockingIOError:
                self._park()
                continue
            except OSError as error:
                raise self.write_error or error from None
            self._taken += len(data)
            if self._tls is None:
                self._meter.add_bytes(0, len(data))
                self._is_drained = len(data) < _RECEIVE_BYTES
            if not data and self.write_error is not None:
                raise self.write_error
            return data

    def read_now(self) -> bytes | None:
        """Return received bytes; None if there are none. Raises DialError, OSError."""
        try:
            data = self._receive(_RECEIVE_BYTES)
        except BlockingIOError:
            return None
        if self._tls is None:
            self._meter.add_bytes(0, len(data))
        return data

    def _receive_tls(self, size: int) -> bytes:
        assert self._tls is not None
        data = self._tls.read_now(size)
        self._is_drained = False
        return data

    def _park(self) -> None:
        if self._expired:
            raise Expired
        self._taken = 0
        self._waiter = getcurrent()
        try:
            self._hub.switch()
        finally:
            self._waiter = None

    def _on_ready(self, events: int) -> None:
        if events & _WRITE and self._unsent:
            self._write_on()
        if events & _READ:
            waiter = self._waiter
            if waiter is not None:
                waiter.switch()
            else:
                self.on_readable()

    def _end_idle(self) -> None:
        """Close an idle connection: its peer has closed it, or has sent bytes without a request."""
        try:
            has_ended = self.read_now() is not None
        except (OSError, DialError):
            has_ended = True
        if has_ended:
            self.close()

    def has_ended(self) -> bool:
        """Return True if the peer has ended an idle connection."""
        if not self.is_closed:
            self._end_idle()
        return self.is_closed

    # -- bytes on the wire ---------------------------------------------------------------------------

    def count_tls(self) -> None:
        """Add the kernel's count of TLS bytes since the last call to the meter."""
        if self._tls is None or self.is_closed:
            return
        total = wire_bytes(self.sock)
        if total is not None:
            self._meter.add_bytes(total[0] - self._counted[0], total[1] - self._counted[1])
            self._counted = total

    # -- the end -------------------------------------------------------------------------------------

    def _close_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def close(self) -> None:
        """Close the connection; may be called again."""
        if not self.is_closed:
            self.count_tls()
            self.is_closed = True
            self._unsent.clear()
            self._close_timer()
            self._watcher.stop()
            self._watcher.close()
            self.sock.close()
