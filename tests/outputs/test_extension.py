"""An output of another package, installed for the test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from jsrunner.metrics.registry import Metric
from jsrunner.outputs.extension import SampleDecoder, SampleEncoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OUTPUT = """
import json, threading

class Output:
    def __init__(self, path):
        self.path, self.samples, self.threads = path, [], []

    def start(self):
        if self.path == 'refuse':
            raise ValueError('not that path')
        self.threads.append(threading.get_ident())

    def add_samples(self, samples):
        self.threads.append(threading.get_ident())
        if self.path == 'fail':
            raise RuntimeError('disk full')
        self.samples += samples

    def stop(self):
        self.threads.append(threading.get_ident())
        with open(self.path, 'w') as file:
            json.dump({'threads': len(set(self.threads)), 'samples': [
                [one.metric.name, one.metric.type, dict(one.tags), one.value, one.time,
                 dict(one.metadata)]
                for one in self.samples]}, file)

def create(argument, environment):
    assert 'PATH' in environment
    return Output(argument)
"""


def install(folder: Path) -> None:
    (folder / "recording_output.py").write_text(OUTPUT)
    metadata = folder / "recording_output-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: recording-output\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[jsrunner.outputs]\nrecording=recording_output:create\n"
    )


def test_it_gets_every_sample(run_to: Callable[..., Any], tmp_path: Path) -> None:
    install(tmp_path)
    target = tmp_path / "samples.json"
    done = run_to(f"recording={target}", flags=["--system-tags=iter,scenario,group"])
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(target.read_text())
    assert found["threads"] == 1
    times = [one for one in found["samples"] if one[0] == "my_time"]
    assert len(times) == 40
    name, type_, tags, value, moment, metadata = times[0]
    assert (name, type_, value) == ("my_time", "trend", 250)
    assert tags == {"scenario": "default", "team": "a, b=c", "group": ""}
    assert moment > 1.7e9
    assert metadata == {"iter": "0"}
    assert sum(one[3] for one in found["samples"] if one[0] == "my_count") == 100


def test_one_that_cannot_start_ends_the_run_before_it_begins(
    run_to: Callable[..., Any], tmp_path: Path
) -> None:
    install(tmp_path)
    done = run_to("recording=refuse")
    assert done.returncode == 255
    assert done.stderr == "could not start the 'recording' output: ValueError: not that path\n"


def test_one_that_fails_costs_its_samples_alone(run_to: Callable[..., Any], tmp_path: Path) -> None:
    install(tmp_path)
    done = run_to("recording=fail")
    assert done.returncode == 0
    assert "iterations" in done.stdout
    first, last = done.stderr.splitlines()
    assert first == "output recording (fail): RuntimeError: disk full; the test goes on"
    assert "samples that were lost: " in last


TAGS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)
FINITE = st.floats(allow_nan=False)


@given(st.lists(st.tuples(st.sampled_from(["a1", "b1"]), TAGS, TAGS, FINITE, FINITE), max_size=20))
def test_samples_survive_the_way_from_several_workers(rows: list[Any]) -> None:
    decoder = SampleDecoder()
    writers: list[dict[str, Any]] = [{}, {}]
    for number, (name, tags, metadata, time, value) in enumerate(rows):
        metric = Metric(name, "trend", "time")
        own = writers[number % 2]
        key = repr((name, sorted(tags.items()), sorted(metadata.items())))
        if key not in own:
            own[key] = SampleEncoder().format(metric, tags, metadata)
        (sample,) = decoder.decode(own[key].line(time, value))
        assert sample == (metric, tags, value, time, metadata)
