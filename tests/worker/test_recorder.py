from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.metrics.registry import BUILTIN, Metric
from jsrunner.outputs.json_lines import JsonFormatter
from jsrunner.worker.recorder import Recorder

VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30)


def delta_of(kind: str, values: list[float]) -> object:
    recorder = Recorder()
    series = recorder.series(Metric("m", kind, "default"), recorder.tag_set({}))
    for value in values:
        series.add(value, 0.0)
    _, [(number, delta)], _ = recorder.collect()
    assert number == series.id
    return delta


@given(VALUES)
def test_deltas(values: list[float]) -> None:
    assert delta_of("counter", values) == pytest.approx(sum(values))
    assert delta_of("rate", values) == (sum(1 for one in values if one), len(values))
    assert delta_of("gauge", values) == (values[-1], min(values), max(values))
    assert delta_of("trend", values) == array("d", values).tobytes()


def test_tag_sets_are_interned() -> None:
    recorder = Recorder()
    one = recorder.tag_set({"a": "1", "b": "2"})
    assert recorder.tag_set({"b": "2", "a": "1"}) is one
    assert recorder.tag_set({"a": "1"}) is not one
    metric = BUILTIN["iterations"]
    assert recorder.series(metric, one) is recorder.series(metric, one)


def test_collecting_takes() -> None:
    recorder = Recorder()
    series = recorder.series(BUILTIN["iterations"], recorder.tag_set({"a": "b"}))
    series.add(1, 0.0)
    for _ in range(4):
        series.add(1, 0.0)
    assert recorder.collect() == (
        [(0, "iterations", "counter", "default", {"a": "b"}, 0.0)],
        [(0, 5.0)],
        [],
    )
    assert recorder.collect() == ([], [], [])
    series.add(2, 0.0)
    assert recorder.collect() == ([], [(0, 2.0)], [])


def test_outputs_get_each_sample() -> None:
    recorder = Recorder([JsonFormatter(), JsonFormatter()])
    series = recorder.series(BUILTIN["iterations"], recorder.tag_set({}))
    for _ in range(3):
        series.add(1, 1.0)
    series.add(1, 2.0, {"vu": "7"})
    _, [(_, total)], lines = recorder.collect()
    assert total == 4.0
    assert len(lines) == 2
    assert lines[0] == lines[1]
    assert lines[0].count(b"\n") == 4
    assert lines[0].count(b'"metadata":{"vu":"7"}') == 1
    assert recorder.collect()[2] == [b"", b""]
