"""`--dask local:N`: a scheduler in this process and N Dask workers as processes of this machine."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from typing import Final

from jsrunner.errors import UsageError

_LOCAL: Final = re.compile(r"local:(\d+)")
#: More Dask workers on this machine are not started.
_MOST: Final = 64
#: Seconds that a Dask worker gets to end.
_PATIENCE: Final = 3.0


def local_nodes(address: str) -> int:
    """Return the N of an address `local:N`, 0 for another address. Raises UsageError."""
    if not address.startswith("local:"):
        return 0
    matched = _LOCAL.fullmatch(address)
    count = int(matched[1]) if matched else 0
    if not 1 <= count <= _MOST:
        raise UsageError(f"invalid value '{address}' of --dask, use local:N with N from 1 to {_MOST}")
    return count


class LocalNodes:
    """A scheduler and some Dask workers; for the thread of an asyncio loop."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []

    async def start(self) -> str:
        """Start all; return the scheduler's address."""
        from distributed import Scheduler

        # Dask serves its metrics by HTTP on all interfaces unless it is given an address.
        self._scheduler = await Scheduler(
            host="127.0.0.1", port=0, dashboard=False, dashboard_address="127.0.0.1:0"
        )
        threads = max((os.cpu_count() or 1) // self._count, 1)
        command = [sys.executable, "-m", "jsrunner.coordinator.remote.node"]
        for _ in range(self._count):
            self._processes.append(
                subprocess.Popen(
                    [*command, self._scheduler.address, str(threads)],
                    stdin=subprocess.PIPE,
                    env={**os.environ, "DASK_LOGGING__DISTRIBUTED": "critical"},
                    start_new_session=True,
                )
            )
        address: str = self._scheduler.address
        return address

    async def close(self) -> None:
        """End all."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with contextlib.suppress(Exception):
            await self._scheduler.close()
