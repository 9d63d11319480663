#!/usr/bin/env python3
"""Measure what a coordinator costs per worker and second: play one worker's recorded messages back as many workers.

    coordinator.py [--machines 1,10,50,100,200] [--workers 2] [--vus 50] [--rate 1000] [--seconds 20]

A real run records its one worker's snapshots: VUs make HTTP requests at a given rate to the bundled server, with a check,
a custom trend, tags and thresholds. Then one coordinator gets these snapshots, as bytes, once per simulated worker and second:
it cuts and decodes them, merges them into its store, judges the thresholds every two seconds, and sums the run up at the end.

Printed per number of machines: messages and bytes per second of the run, the coordinator's CPU time per snapshot, its share of
one core, the CPU time of one look at the thresholds, of the summary, and the peak of its memory. CPU time (user and system)
hardly depends on what else the machine does. Not in it: the sockets, the display and the outputs.
"""

import argparse
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPT = """
import http from 'k6/http';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const size = new Trend('answer_size');

export const options = {
  scenarios: {
    load: {
      executor: 'constant-arrival-rate', rate: Number(__ENV.RATE), timeUnit: '1s',
      duration: `${__ENV.SECONDS}s`, preAllocatedVUs: Number(__ENV.VUS),
    },
  },
  thresholds: {
    http_req_duration: ['p(95)<60000', 'p(99)<60000'],
    'http_req_duration{name:page0}': ['p(95)<60000'],
    checks: ['rate>0.5'],
  },
};

export default function () {
  const answer = http.get(__ENV.URL, { tags: { name: `page${__ITER % 5}` } });
  size.add(answer.body.length);
  check(answer, { answered: (one) => one.status === 200 });
}
"""
THRESHOLDS_EVERY = 2


def record(options, path):
    """Run the script with one worker; write its test and its snapshots to a file."""
    from jsrunner.cli.main import main
    from jsrunner.coordinator import phases
    from jsrunner.messages.stream import encode

    kept = {"snapshots": []}

    class Recorder(phases.Collector):
        def __init__(self, decision, *more, **named):
            super().__init__(decision, *more, **named)
            kept["decision"] = decision

        def add(self, worker, snapshot):
            kept["snapshots"].append(encode(snapshot))
            super().add(worker, snapshot)

    phases.Collector = Recorder
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.js"
        script.write_text(SCRIPT)
        environment = {"URL": options.url, "RATE": options.rate, "SECONDS": options.seconds, "VUS": options.vus}
        words = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
        code = main(["run", "--workers", "1", "--quiet", *words, str(script)])
    path.write_bytes(pickle.dumps(kept))
    return code


class Silence:
    def log(self, level, text, *more, **fields):
        pass


def play(path, workers):
    """Be the coordinator of this many workers; return its figures."""
    from jsrunner.coordinator.collector import Collector
    from jsrunner.coordinator.outputs import OutputSet
    from jsrunner.messages.stream import MessageReader
    from jsrunner.summary.model import build

    kept = pickle.loads(path.read_bytes())
    # The last one may be part of a second only.
    snapshots = kept["snapshots"][:-1]
    log = Silence()
    collector = Collector(kept["decision"], OutputSet((), log), log)
    readers = [MessageReader() for _ in range(workers)]
    merging, judging = [], []
    for second, data in enumerate(snapshots):
        begin = time.process_time()
        for number, reader in enumerate(readers):
            for message in reader.feed(data):
                collector.add(number, message)
        merging.append(time.process_time() - begin)
        if second % THRESHOLDS_EVERY == 1:
            begin = time.process_time()
            collector.judge(second)
            judging.append(time.process_time() - begin)
    begin = time.process_time()
    collector.judge_finally(len(snapshots))
    build(
        collector.store, collector.thresholds, trend_stats=kept["decision"].test.options.trend_stats(),
        time_unit="", duration=len(snapshots), setup_data=None,
    )  # fmt: skip
    summing = time.process_time() - begin
    # The first second makes the series.
    second = statistics.mean(merging[1:])
    return {
        "bytes": sum(map(len, snapshots)) / len(snapshots) * workers,
        "snapshot": second / workers,
        "core": second + statistics.mean(judging) / THRESHOLDS_EVERY,
        "judging": max(judging),
        "summing": summing,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_process(*words):
    """Run this program with these arguments as a process of its own, so that memory peaks are its own."""
    subprocess.run([sys.executable, __file__, *map(str, words)], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", default="1,10,50,100,200", help="numbers of machines, by commas")
    parser.add_argument("--workers", type=int, default=2, help="workers of each machine")
    parser.add_argument("--vus", type=int, default=50, help="VUs of the recorded worker")
    parser.add_argument("--rate", type=int, default=1000, help="iterations per second of the recorded worker")
    parser.add_argument("--seconds", type=int, default=20, help="length of the recorded run")
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--play", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.record:
        sys.exit(record(options, options.record))
    if options.play:
        for machines in map(int, options.machines.split(",")):
            print(row(machines, machines * options.workers, play(options.play, machines * options.workers)))
        return
    with tempfile.TemporaryDirectory() as folder:
        recorded = Path(folder) / "recorded"
        server = subprocess.Popen(
            [sys.executable, "-m", "jsrunner", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        try:
            variables = (line.strip().partition("=") for line in server.stdout)
            url = next(value for name, _, value in variables if name == "HTTP_URL")
            in_process(
                "--record", recorded, "--url", url, "--vus", options.vus, "--rate", options.rate,
                "--seconds", options.seconds,
            )  # fmt: skip
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()
        print("| machines | workers | MB/s | CPU per snapshot | share of a core | thresholds | summary | memory |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for machines in options.machines.split(","):
            in_process("--play", recorded, "--machines", machines, "--workers", options.workers)


def row(machines, workers, figures):
    return (
        f"| {machines} | {workers} | {figures['bytes'] / 1e6:.1f} | {figures['snapshot'] * 1e3:.2f} ms "
        f"| {figures['core']:.0%} | {figures['judging'] * 1e3:.0f} ms | {figures['summing'] * 1e3:.0f} ms "
        f"| {figures['memory']:.0f} MiB |"
    )


if __name__ == "__main__":
    main()
