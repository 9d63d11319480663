"""Runs that are recorded: whole, failed, killed, with a full disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from array import array
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from records import has_steps
from waiting import DEADLINE, until

from jsrunner.metrics.registry import Metric
from jsrunner.metrics.store import MergedSeries, Store
from jsrunner.metrics.thresholds import ThresholdSet
from jsrunner.record.reader import read
from jsrunner.record.recorder import Recorder
from jsrunner.record.sketch import percentile, unpack

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

NO_SESSIONS = SimpleNamespace(sessions_open=0, failed_handshakes=0, closes={})
SCRIPT = (Path(__file__).parent / "recorded.js").read_text()


def command(folder: Path, *flags: str, script: str = SCRIPT) -> list[str]:
    path = folder / "script.js"
    path.write_text(script)
    return [sys.executable, "-m", "jsrunner", "run", "-q", "--workers=2", *flags, str(path)]


def run(folder: Path, *flags: str, script: str = SCRIPT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *flags, script=script), capture_output=True, text=True, timeout=DEADLINE, check=False,
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_a_record_has_what_the_summary_has(tmp_path: Path) -> None:
    assert run(tmp_path, "--save=run.jsr").returncode == 99
    record = read(str(tmp_path / "run.jsr"))
    assert record.run["script"]["name"].endswith("script.js")
    assert record.run["machine"]["cores"] == os.cpu_count()
    totals: dict[str, float] = {}
    sketches: list[int] = []
    for step in record.steps:
        for number, row in step.rows.items():
            series = record.series[number]
            key = f"{series.metric} {series.tags.get('room')}"
            if series.type in ("counter", "trend"):
                totals[key] = totals.get(key, 0) + row[0]
            if key == "my_time b":
                sketches.append(percentile(unpack(row[4]), 50))
    assert {key: totals[key] for key in ("my_time a", "my_time b", "my_count a", "iterations None")} == {
        "my_time a": 40, "my_time b": 40, "my_count a": 80, "iterations None": 40,
    }  # fmt: skip
    assert sketches == [pytest.approx(500, rel=0.004)] * len(sketches)
    assert record.end is not None
    assert record.end["code"] == 99
    assert "my_time" in record.end["reason"]
    assert {(each["key"], each["source"]): each["failed"] for each in record.end["thresholds"]} == {
        ("my_time", "p(95)<1"): True, ("my_time", "max<9999"): False, ("my_count{room:a}", "count>0"): False,
    }  # fmt: skip
    assert record.end["checks"] == [{"name": "good", "group": "", "passes": 40, "fails": 0}]
    texts = [event["text"] for event in record.events if event["kind"] == "log"]
    assert {"careful 1", "careful 2"} <= set(texts)


def test_the_record_of_a_day_has_a_bounded_size(tmp_path: Path) -> None:
    """A day of 20 series, a second at a time: steps become longer, no value is lost."""
    series = [
        MergedSeries(Metric(f"m{number}", kind), {"page": str(number)}, [], None)
        for number, kind in enumerate(("trend", "counter", "rate", "gauge") * 5)
    ]
    limit, now, chance, thresholds = 400_000, 0.0, random.Random(1), ThresholdSet()
    added: dict[str, Any] = {"counter": 1.0, "rate": (1, 2), "gauge": (1.0, 1.0, 1.0)}
    trends = [
        array("d", (chance.lognormvariate(4, 0.5) for _ in range(10))).tobytes() for _ in range(100)
    ]
    recorder = Recorder(
        str(tmp_path / "run.jsr"), script_name="a.js", script="", limit=limit, clock=lambda: now
    )
    store = Store(thresholds, system_tags=())
    recorder.begin(
        SimpleNamespace(totals=lambda: NO_SESSIONS, store=store, thresholds=thresholds, started=0.0), {}
    )
    recorder.config.open(())
    for second in range(1, 86_401):
        now = float(second)
        recorder.merge([(one, added.get(one.metric.type, trends[second % 100])) for one in series])
    recorder.end()
    recorder.finish(0, "")
    assert (tmp_path / "run.jsr").stat().st_size <= limit
    record = read(str(tmp_path / "run.jsr"))
    assert len(record.steps) > 300
    for number, one in enumerate(series):
        rows = [step.rows[number] for step in record.steps if number in step.rows]
        if one.metric.type == "trend":
            assert sum(row[0] for row in rows) == 864_000
        elif one.metric.type == "counter":
            assert sum(row[0] for row in rows) == 86_400


def test_a_run_that_is_killed_leaves_its_record(tmp_path: Path) -> None:
    path = tmp_path / "run.jsr"
    script = SCRIPT.replace("iterations: 40", "duration: '1h'")
    process = subprocess.Popen(
        command(tmp_path, "--save=run.jsr", script=script), cwd=tmp_path, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: has_steps(path, 3), "three steps of the record")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    record = read(str(path))
    assert record.end is None
    assert not record.is_damaged
    assert sum(row[0] for step in record.steps for number, row in step.rows.items()
               if record.series[number].metric == "iterations") > 0  # fmt: skip


def test_a_file_that_cannot_be_made_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    done = run(tmp_path, "--save=missing/run.jsr")
    assert done.returncode == 255
    assert "could not create the record: open missing/run.jsr: no such file or directory" in done.stderr


def test_a_full_disk_does_not_end_the_run(tmp_path: Path) -> None:
    done = run(tmp_path, "--save=/dev/full")
    assert done.returncode == 99
    assert "writing the record /dev/full failed: no space left on device" in done.stderr


def test_secrets_are_not_in_a_record(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("key=TOPSECRET\n")
    script = """
    import secrets from 'k6/secrets';
    export default async function () { console.error('it is ' + await secrets.get('key')); }
    """
    run(tmp_path, "--save=run.jsr", "--secret-source=file=secrets", script=script)
    texts = [event["text"] for event in read(str(tmp_path / "run.jsr")).events]
    assert any(text.startswith("it is") for text in texts)
    assert not any("TOPSECRET" in text for text in texts)


def test_further_tag_sets_count_together(tmp_path: Path) -> None:
    script = """
    import { Counter } from 'k6/metrics';
    const count = new Counter('my_count');
    export default function () { for (let i = 0; i < 1500; i++) count.add(1, { id: `${i}` }); }
    """
    run(tmp_path, "--save=run.jsr", script=script)
    record = read(str(tmp_path / "run.jsr"))
    assert 1000 <= len(record.series) <= 1020
    assert sum(row[0] for step in record.steps for number, row in step.rows.items()
               if record.series[number].metric == "my_count") == 1500  # fmt: skip


def test_sessions_and_close_codes_are_in_the_record(tmp_path: Path) -> None:
    script = """
    import ws from 'k6/ws';
    import { WebSocket } from 'k6/websockets';
    import { sleep } from 'k6';
    export const options = { scenarios: {
      theirs: { executor: 'per-vu-iterations', vus: 2, iterations: 3, exec: 'theirs' },
      held: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'held' },
      refused: { executor: 'per-vu-iterations', vus: 1, iterations: 2, exec: 'refused' },
      gone: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'gone' },
    } };
    export function theirs() { ws.connect(`${__ENV.WS_URL}/close/4001`, () => {}); }
    export function gone() { ws.connect(`${__ENV.WS_URL}/close/1006`, (socket) => socket.on('error', () => {})); }
    export function refused() { try { ws.connect('ws://127.0.0.1:1/', () => {}); } catch {} }
    export function held() {
      const socket = new WebSocket(`${__ENV.WS_URL}/echo`);
      socket.onopen = () => setTimeout(() => socket.close(3005), 2500);
    }
    """
    assert run(tmp_path, "--save=run.jsr", "--with-server", script=script).returncode == 0
    counted = [step.sessions for step in read(str(tmp_path / "run.jsr")).steps if step.sessions]
    closes: Counter[int] = Counter()
    for each in counted:
        closes.update(each.closes)
    assert closes == {4001: 6, 3005: 1, 1006: 1}
    assert sum(each.failed for each in counted) == 2
    assert [each.open for each in counted].count(1) >= 1
    assert counted[-1].open == 0
