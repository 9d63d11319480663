"""Bytes on their way into a socket whose reader may be slow, for a thread that must not wait."""

from __future__ import annotations

import contextlib
import socket


class Outlet:
    """The bytes that a blocking socket has not taken yet. The agent makes one per socket."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._waiting = bytearray()

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return len(self._waiting)

    def put(self, data: bytes) -> None:
        """Send bytes, as many as the socket takes now. Raises OSError if nobody reads any more."""
        self._waiting += data
        self.flush()

    def flush(self) -> None:
        """Send what waits, as much as the socket takes now. Raises OSError as `put`."""
        if self._waiting:
            with contextlib.suppress(BlockingIOError):
                del self._waiting[: self._stream.send(self._waiting, socket.MSG_DONTWAIT)]

    def take(self) -> bytes:
        """Return the bytes that wait, for a caller that sends them itself."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken
