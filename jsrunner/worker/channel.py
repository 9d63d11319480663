"""A worker's channel to the coordinator, once there is a hub.

A VU may be interrupted wherever it waits; in the middle of a message that would cut the stream. So a
greenlet of its own sends the bytes that cannot be sent at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent.event import Event

from jsrunner.messages.stream import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.messages.protocol import WorkerMessage

#: Maximum bytes buffered for the coordinator; senders wait while there are more.
_HIGH_WATER: Final = 8 << 20


class CoordinatorChannel:
    """Messages to the coordinator, in order. After the coordinator has gone they are dropped."""

    def __init__(self, stream: Any, gone: Callable[[], None]) -> None:
        """Open the channel on a socket of gevent's; call `gone` once if the coordinator has gone."""
        self._stream = stream
        self._gone = gone
        self._pending: list[bytes] = []
        self._size = 0
        self._filled, self._drained = Event(), Event()
        self._broken = False
        self._writer = gevent.spawn(self._write)

    def say(self, message: WorkerMessage) -> None:
        """Send a message, or buffer it if the socket is full; wait only above `_HIGH_WATER`."""
        if self._broken:
            return
        data = encode(message)
        if not self._size:
            try:
                data = data[self._stream._sock.send(data) :]  # gevent's own send would wait
            except BlockingIOError:
                pass
            except OSError:
                self._break()
                return
            if not data:
                return
        self._pending.append(data)
        self._size += len(data)
        self._drained.clear()
        self._filled.set()
        if self._size > _HIGH_WATER:
            self._drained.wait()

    def flush(self) -> None:
        """Wait until all messages are written."""
        if self._size and not self._broken:
            self._drained.wait()

    def _write(self) -> None:
        while not self._broken:
            self._filled.wait()
            self._filled.clear()
            while self._pending:
                data, self._pending = b"".join(self._pending), []
                try:
                    self._stream.sendall(data)
                except OSError:
                    self._break()
                    return
                self._size -= len(data)
            self._drained.set()

    def _break(self) -> None:
        self._broken = True
        self._drained.set()
        self._gone()
