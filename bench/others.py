#!/usr/bin/env python3
"""Measure the same WebSocket round trips with jsrunner, k6, Locust and Artillery, by turns on one server.

    others.py --jsrunner jsrunner --k6 k6 --locust locust --artillery artillery [--repeat 3]

The load is 50 users with a connection each and 1,000 round trips of 64 bytes per connection. Per tool it prints medians over
the repeats: CPU time per round trip (user and system, all processes of the tool, its start included), round trips per second
of the whole run, and the peak memory of all its processes (proportional set size, sampled).

Needs the extra `bench`; locust with websocket-client; artillery.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import HERE, Memory

USERS, ROUNDS = 50, 1000
TOOLS = ("jsrunner", "k6", "locust", "artillery")


def commands(options):
    script = ["--quiet", "--no-color", "--vus", str(USERS), "--iterations", str(USERS), "-e", f"ROUNDS={ROUNDS}",
              str(HERE / "scripts" / "echo.js")]
    made = {}
    for name in TOOLS:
        if tool := getattr(options, name):
            more = {
                "locust": ["-f", str(HERE / "others" / "locustfile.py"), "--headless", "-u", str(USERS), "-r", str(USERS)],
                "artillery": ["run", "--quiet", "--output", "/dev/null", str(HERE / "others" / "artillery.yml")],
            }.get(name, ["run", *script])
            made[name] = [*shlex.split(tool), *more]
    return made


def measure(name, command, url):
    environment = {**os.environ, "WS_URL": url, "ROUNDS": str(ROUNDS), "USERS": str(USERS),
                   "ARTILLERY_DISABLE_TELEMETRY": "true"}
    if name in ("jsrunner", "k6"):
        command = [*command[:-1], "-e", f"WS_URL={url}", command[-1]]
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment)
        memory = Memory(process.pid)
        memory.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        memory.over.set()
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(f"{shlex.join(command)} exited {process.returncode}:\n{text[-3000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return cpu / (USERS * ROUNDS) * 1e6, USERS * ROUNDS / wall, max(memory.peak / 2**20, usage.ru_maxrss / 2**10)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in TOOLS:
        parser.add_argument(f"--{name}", help="its command")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    target = subprocess.Popen([sys.executable, str(HERE / "target.py")], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        url = target.stdout.readline().split()[0]
        runs = {name: [] for name in commands(options)}
        for _ in range(options.repeat):
            for name, command in commands(options).items():
                runs[name].append(measure(name, command, url))
                print(name, runs[name][-1], file=sys.stderr)
        for name, figures in runs.items():
            cpu, rate, memory = (statistics.median(column) for column in zip(*figures))
            print(f"{name:10} {cpu:8.1f} us CPU per round trip {rate:9.0f}/s {memory:6.0f} MiB")
    finally:
        target.stdin.close()
        target.terminate()
        target.wait()


if __name__ == "__main__":
    main()
