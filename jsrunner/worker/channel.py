"""A worker's channel to the coordinator, once there is a hub.

A VU may be interrupted wherever it waits; in the middle of a message that would cut the stream. So a
greenlet of its own sends the bytes that cannot be sent at once.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Final

import gevent
from gevent import socket
from gevent.event import Event

from jsrunner.messages.stream import encode

if TYPE_CHECKING:
    import socket as plain
    from collections.abc import Callable

    from jsrunner.messages.protocol import WorkerMessage

#: Maximum bytes buffered for the coordinator; senders wait while there are more.
_HIGH_WATER: Final = 8 << 20


class CoordinatorChannel:
    """Messages to the coordinator, in order. After the coordinator has gone they are dropped."""

    def __init__(self, stream: plain.socket, gone: Callable[[], None]) -> None:
        """Open the channel on a socket of gevent's; call `gone` once if the coordinator has gone."""
        #: The socket below, because gevent's own send would wait.
        self._stream: plain.socket = stream._sock  # type: ignore[attr-defined]
        self._gone = gone
        self._pending = bytearray()
        self._filled, self._drained = Event(), Event()
        self._broken = False
        self._writer = gevent.spawn(self._write)

    def send(self, message: WorkerMessage) -> None:
        """Send a message, or buffer it if the socket is full; wait only above `_HIGH_WATER`."""
        if self._broken:
            return
        is_first = not self._pending
        self._pending += encode(message)
        if is_first:
            self._send_pending()
        if not self._pending:
            return
        self._drained.clear()
        self._filled.set()
        if len(self._pending) <= _HIGH_WATER:
            return
        if gevent.getcurrent() is gevent.get_hub():
            self._block()
        else:
            self._drained.wait()

    def flush(self) -> None:
        """Wait until all messages are written."""
        if self._pending and not self._broken:
            self._drained.wait()

    def _write(self) -> None:
        while not self._broken:
            self._filled.wait()
            self._filled.clear()
            while self._pending:
                socket.wait_write(self._stream.fileno())
                self._send_pending()
            self._drained.set()

    def _block(self) -> None:
        """Hold up the whole process until less is buffered: the hub's callbacks cannot wait."""
        poll = select.poll()
        poll.register(self._stream, select.POLLOUT)
        while len(self._pending) > _HIGH_WATER:
            poll.poll()
            self._send_pending()

    def _send_pending(self) -> None:
        """Send what the socket takes now."""
        try:
            del self._pending[: self._stream.send(self._pending)]
        except BlockingIOError:
            return
        except OSError:
            self._pending.clear()
            self._broken = True
            self._drained.set()
            self._gone()
