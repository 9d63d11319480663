#!/usr/bin/env python3
"""Measure what a record and a live page cost a run: the load echo-50 of bench.py, with and without, by turns.

    page.py --runner jsrunner [--repeat 5] [--iterations 300]

The same test runs plainly, with `--save`, with `--web` and nobody who looks, with five viewers who read all events, and with
five viewers who read nothing (their connections fill up). Printed per way: round trips per second, CPU time per round trip
(user and system, all processes of the run; the viewers are in the process of this script), and both in relation to the
plain run of the same turn; medians over the turns.

Needs: the extra `bench`.
"""

import argparse
import contextlib
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from bench import HERE, Load, measure

VIEWERS = 5


class Viewers:
    """Connections that want the events of a run from its beginning on."""

    def __init__(self, port, *, read):
        self.port, self.read, self.over = port, read, threading.Event()
        self.received = 0
        self.threads = [threading.Thread(target=self.watch, daemon=True) for _ in range(VIEWERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def watch(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError), socket.socket() as viewer:
                viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                viewer.connect(("127.0.0.1", self.port))
                viewer.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                while not self.read and not self.over.wait(0.1):
                    pass
                while data := viewer.recv(1 << 16):
                    self.received += len(data)
                return
            time.sleep(0.02)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def ways(runner, folder):
    """Yield name, command and viewers of each way to run."""
    port = free_port()
    web = ["env", "K6_WEB_DASHBOARD=true", f"K6_WEB_DASHBOARD_PORT={port}", *runner]
    yield "plain", runner, contextlib.nullcontext()
    yield "--save", ["env", f"JSRUNNER_SAVE={folder}/run.jsr", *runner], contextlib.nullcontext()
    yield "--web, no viewers", web, contextlib.nullcontext()
    yield f"--web, {VIEWERS} viewers", web, Viewers(port, read=True)
    yield f"--web, {VIEWERS} viewers who read nothing", web, Viewers(port, read=False)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runner", required=True, help="the command that is measured")
    parser.add_argument("--repeat", type=int, default=5, help="turns")
    parser.add_argument("--iterations", type=int, default=300, help="of 2,000 round trips each")
    options = parser.parse_args()
    load = Load("echo.js", 50, options.iterations, {"ROUNDS": "2000"}, options.iterations * 2000)
    target = subprocess.Popen([sys.executable, str(HERE / "target.py")], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    urls, figures = target.stdout.readline().split(), {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(options.repeat):
                for name, command, viewers in ways(shlex.split(options.runner), folder):
                    with viewers as watching:
                        figures.setdefault(name, []).append(measure(command, load, urls))
                    if watching is not None and not watching.received:
                        raise SystemExit(f"{name}: no viewer has seen anything")
    finally:
        target.stdin.close()
        target.terminate()
        target.wait()
    for name, listed in figures.items():
        plain = figures["plain"]
        rate, cpu = (statistics.median(each[key] for each in listed) for key in ("rate", "cpu_us"))
        rates = statistics.median(
            each["rate"] / other["rate"] for each, other in zip(listed, plain, strict=True)
        )
        cpus = statistics.median(
            each["cpu_us"] / other["cpu_us"] for each, other in zip(listed, plain, strict=True)
        )
        print(f"{name:36}{rate:8.0f}/s x{rates:.3f} {cpu:7.2f} us CPU x{cpus:.3f}")


if __name__ == "__main__":
    main()
