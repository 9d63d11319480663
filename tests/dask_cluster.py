"""A real Dask cluster on 127.0.0.1: processes of the commands that a user starts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from tests.running import ROOT
from tests.waiting import DEADLINE, until

ENDLESS = """
import { sleep } from 'k6';
export const options = { vus: 4, duration: '1h' };
export function setup() { console.log('setup'); }
export default function () { console.log('iterates'); sleep(0.2); }
export function teardown() { console.log('teardown'); }
"""


class Pair(NamedTuple):
    """A cluster and its two workers."""

    cluster: Cluster
    workers: list[subprocess.Popen[bytes]]


class Cluster:
    """A scheduler and workers that the test adds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            "DASK_LOGGING__DISTRIBUTED": "error",
            "PYTHONPATH": str(ROOT),
        }
        self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(self._file)
        )
        self.address: str = until(self._written_address, "the scheduler")

    def _written_address(self) -> str | None:
        """Return the scheduler's address, or None if its file is not written, or not to its end."""
        with contextlib.suppress(OSError, ValueError):
            address: str = json.loads(self._file.read_text())["address"]
            return address
        return None

    def add(self, *flags: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a worker with one thread; it takes part as soon as it can."""
        if "--listen-address" not in flags:
            flags = ("--host", "127.0.0.1", *flags)
        return self._start("worker", self.address, "--no-nanny", "--nthreads", "1", *flags, **variables)

    def await_workers(self, count: int) -> None:
        """Wait until the scheduler has this many workers."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=DEADLINE)

    def processes(self) -> list[int]:
        """Return the workers' process ids, in the order in which a run has them."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            return [process for _, process in sorted(client.run(os.getpid).items())]

    def _start(self, kind: str, *flags: str, **variables: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", kind, "--no-dashboard", *flags],
            cwd=self._folder,
            env={**self._environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """End all processes."""
        for process in self._processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


class Proxy:
    """A TCP proxy to a port. Its connections can be cut; it refuses new ones from then on."""

    def __init__(self, target: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.target = target
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self._sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                self._threads.append(threading.Thread(target=self._pump, args=(source, sink)))
                self._threads[-1].start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self) -> None:
        """Break all connections."""
        with contextlib.suppress(OSError):  # cut already
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()  # a connection that was just accepted is cut with the others
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break all connections and end the threads."""
        self.cut()
        self._listener.close()
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()


def below(process: int) -> list[int]:
    """Return the processes that descend from this one; processes and threads may end meanwhile."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(OSError):
                children += map(int, (task / "children").read_text().split())
    return [descendant for child in children for descendant in (child, *below(child))]


def is_alive(process: int) -> bool:
    """Return whether a process runs; a stopped parent leaves a zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
