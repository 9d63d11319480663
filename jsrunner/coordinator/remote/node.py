"""A Dask worker on this machine, for `--dask local:N`: it ends when its standard input does."""

from __future__ import annotations

import asyncio
import sys

from distributed import Worker


async def _serve(scheduler: str, threads: int) -> None:
    host = "127.0.0.1"
    async with Worker(
        scheduler, nthreads=threads, host=host, dashboard=False, dashboard_address=f"{host}:0"
    ):
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
