#!/usr/bin/env python3
"""Measure the record of a long run: its size, its CPU time, and what its report takes.

    record.py [--hours 24] [--series 100] [--rate 2000]

Synthetic seconds go through the code of a run that is recorded (`jsrunner run --save`): each second the recorder gets the
deltas of all series, as the collector hands them on, and the clock goes on by a second. Of ten series six are trends with
lognormal values whose median wanders, two are counters, one is a rate, one a gauge. Each trend has the same share of the
values per second, `--rate`.

Printed: the record's size, the seconds of its last step, the recorder's CPU time per second of the run (user and system,
without making the values), the peak of its memory; then the CPU time and the peak of `jsrunner report`, and the size of the report.
With a Chromium (installed, or named by JSRUNNER_CHROMIUM) also how long the browser's main thread is busy at a stretch while the
report is opened, and when all its charts are split by a tag.
"""

import argparse
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from chromium import Chromium, chromium

from jsrunner.metrics.registry import Metric
from jsrunner.metrics.store import MergedSeries, Store
from jsrunner.metrics.thresholds import ThresholdSet
from jsrunner.record.recorder import Recorder

TYPES = ("trend",) * 6 + ("counter",) * 2 + ("rate", "gauge")
#: Seconds whose values are made before; they come again and again, the median wanders slowly.
VARIANTS = 240
NO_SESSIONS = SimpleNamespace(sessions_open=0, failed_handshakes=0, closes={})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--rate", type=int, default=2000, help="values of trends per second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(os.path.join(folder, "run.jsr"), options)


def measure(path, options):
    seconds, now, thresholds = int(options.hours * 3600), 0.0, ThresholdSet()
    recorder = Recorder(path, script_name="bench.js", script="", clock=lambda: now)
    recorder.begin(SimpleNamespace(totals=lambda: NO_SESSIONS, store=Store(thresholds, system_tags=()), thresholds=thresholds, started=0.0), {})
    recorder.config.open(())
    variants = [list(deltas(options, variant)) for variant in range(VARIANTS)]
    before = time.process_time()
    for second in range(1, seconds + 1):
        now = float(second)
        recorder.merge(variants[second % VARIANTS])
    recorder.end()
    recorder.finish(0, "")
    spent = time.process_time() - before
    size, peak = os.path.getsize(path), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{options.hours:g} hours, {options.series} series, {options.rate} values per second")
    print(f"record: {size / 1e6:.1f} MB, last step {recorder._length} s, {peak / 1024:.0f} MiB of memory")
    print(f"recorder: {spent / seconds * 1000:.2f} ms of CPU time per second, {100 * spent / seconds:.2f} % of a core")
    report(path)


def report(path):
    page = path + ".html"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "jsrunner", "report", "-q", path, "-o", page], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"report: {os.path.getsize(page) / 1e6:.2f} MB, {spent:.1f} s of CPU time, {after.ru_maxrss / 1024:.0f} MiB of memory")


    browser = chromium()
    if browser is not None:
        look(browser, page)


def look(program, page):
    """Open a report in a browser; print how long its main thread was busy."""
    with tempfile.TemporaryDirectory() as folder:
        browser = Chromium(program, Path(folder))
        try:
            browser.call("Page.addScriptToEvaluateOnNewDocument", source=LONG_TASKS)
            browser.size(1200)
            browser.open(Path(page).as_uri())
            opened = browser.evaluate(LONGEST)
            browser.evaluate(SPLIT)
            split = browser.evaluate(LONGEST)
            points = browser.evaluate("Math.max(...[...cards.values()].map((card) => card.plot.data[0].length))")
            charts = browser.evaluate("cards.size")
        finally:
            browser.close()
    print(f"browser: {charts} charts of {points} points; busy at a stretch for {opened:.0f} ms when it is opened, {split:.0f} ms when it is split")


#: Keeps the longest task of the page's main thread, in milliseconds.
LONG_TASKS = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask", buffered: true });
"""
LONGEST = """new Promise((resolve) => setTimeout(() => { resolve(window.longest); window.longest = 0; }, 1000))"""
SPLIT = """new Promise((resolve) => setTimeout(() => {
  const select = document.querySelector("#split");
  select.selectedIndex = 1;
  select.dispatchEvent(new Event("change"));
  resolve();
}))"""

ALL_SERIES = {}


def deltas(options, variant):
    """Yield the deltas of one second."""
    chance = random.Random(variant)
    trends = sum(TYPES[number % 10] == "trend" for number in range(options.series))
    for number in range(options.series):
        kind = TYPES[number % 10]
        series = ALL_SERIES.setdefault(
            number, MergedSeries(Metric(f"metric{number % 20}", kind), {"page": str(number // 20)}, [], None)
        )
        if kind == "trend":
            median = 50 * (1 + number % 7) * (1 + 0.3 * math.sin(2 * math.pi * variant / VARIANTS))
            count = max(1, options.rate // max(trends, 1))
            values = (median * chance.lognormvariate(0, 0.5) for _ in range(count))
            yield series, array("d", values).tobytes()
        elif kind == "counter":
            yield series, float(chance.randrange(1000))
        elif kind == "rate":
            yield series, (chance.randrange(50), 50)
        else:
            yield series, (float(chance.randrange(50)), 0.0, 50.0)


if __name__ == "__main__":
    main()
