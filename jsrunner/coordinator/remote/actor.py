"""The Dask actor of a machine: it starts the agent, and passes its frames on.

All methods are coroutines, so that Dask runs them in the Dask worker's event loop, and a call that
waits holds up nothing. Errors reach the coordinator as exceptions of its calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from typing import Final

from jsrunner.coordinator.remote.frames import FrameKind, frame

_READ_SIZE: Final = 1 << 20
_ALIVE: Final = frame(FrameKind.ALIVE)


class MachineActor:
    """The machine of one run. The coordinator makes it, and calls its methods."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        #: Done when the agent has ended, and is no zombie any more.
        self._ended: asyncio.Future[int] | None = None
        #: What the agent has sent before its end can still be received: so it is no asyncio stream.
        self._socket: socket.socket | None = None
        self._is_sending = False

    async def clocks(self) -> tuple[float, float]:
        """Return the time by this machine's monotonic clock and since the epoch, in seconds."""
        return time.monotonic(), time.time()

    async def open(self, job: bytes) -> None:
        """Start the agent with a frame that has its job."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jsrunner.coordinator.remote.agent", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        # Whatever becomes of the coordinator: a thread waits for the end.
        self._ended = asyncio.get_running_loop().run_in_executor(None, self._process.wait)
        ours.setblocking(False)
        self._socket = ours
        await self.send(job)

    async def send(self, data: bytes) -> None:
        """Send bytes of frames to the agent; wait while it takes none. One call at a time."""
        assert self._socket is not None
        self._is_sending = True
        with contextlib.suppress(ConnectionError):  # it has ended, as the next poll will show
            await asyncio.get_running_loop().sock_sendall(self._socket, data)
        self._is_sending = False

    async def poll(self, patience: float, size: int) -> bytes | None:
        """Return what the agent has sent, and show the agent that somebody is there.

        Args:
            patience: Seconds to wait for it.
            size: Maximum bytes to return. With 0 the coordinator only shows that it is there.

        Returns:
            Bytes of frames, b"" if none have come, None if the agent has ended.
        """
        assert self._socket is not None
        if not self._is_sending:
            with contextlib.suppress(OSError):
                self._socket.send(_ALIVE)
        if not size:
            await asyncio.sleep(patience)
            return b""
        await self._wait_readable(self._socket, patience)
        try:
            return self._socket.recv(min(size, _READ_SIZE)) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    @staticmethod
    async def _wait_readable(stream: socket.socket, patience: float) -> None:
        """Wait until there is something to receive, or for `patience` seconds."""
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(stream, readable.set)
        try:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(readable.wait(), patience)
        finally:
            loop.remove_reader(stream)

    async def close(self, patience: float) -> None:
        """End the agent, and with it the workers that are left.

        Args:
            patience: Seconds after which an agent that has not ended is killed. Its workers exit when
                they have lost it.
        """
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if self._process is not None and self._ended is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._ended), patience)
            except asyncio.TimeoutError:
                self._process.kill()
                await self._ended
