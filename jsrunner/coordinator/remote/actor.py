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

from jsrunner.coordinator.remote.frames import Kind, frame

_READ_SIZE: Final = 1 << 20
_ALIVE: Final = frame(Kind.ALIVE)


class Machine:
    """The machine of one run. The coordinator makes it, and calls its methods."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        #: Done when the agent has ended, and is no zombie any more.
        self._ended: asyncio.Future[int] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def clock(self) -> float:
        """Return the time by this machine's monotonic clock, in seconds."""
        return time.monotonic()

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
        self._reader, self._writer = await asyncio.open_connection(sock=ours, limit=_READ_SIZE)
        await self.send(job)

    async def send(self, data: bytes) -> None:
        """Send bytes of frames to the agent; wait while it takes none."""
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def poll(self, patience: float, size: int) -> bytes | None:
        """Return what the agent has sent, and show the agent that somebody is there.

        Args:
            patience: Seconds to wait for it.
            size: Maximum bytes to return. With 0 the coordinator only shows that it is there.

        Returns:
            Bytes of frames, b"" if none have come, None if the agent has ended.
        """
        assert self._reader is not None
        assert self._writer is not None
        with contextlib.suppress(OSError):
            self._writer.write(_ALIVE)
        if not size:
            await asyncio.sleep(patience)
            return b""
        try:
            data = await asyncio.wait_for(self._reader.read(min(size, _READ_SIZE)), patience)
        except asyncio.TimeoutError:
            return b""
        except OSError:
            return None
        return data or None

    async def close(self, patience: float) -> None:
        """End the agent, and with it the workers that are left.

        Args:
            patience: Seconds after which an agent that has not ended is killed. Its workers exit when
                they have lost it.
        """
        if self._writer is not None:
            self._writer.close()
        if self._process is not None and self._ended is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._ended), patience)
            except asyncio.TimeoutError:
                self._process.kill()
                await self._ended
