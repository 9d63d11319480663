"""Names for the core's numbers: tag sets and series, what the coordinator gets of them, lines for outputs."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import pytest
from core_vu import DEADLINE
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.engine.engine import MERGE, SERIES, TAGS, process_engine
from jsrunner.engine.recorder import SampleRecorder
from jsrunner.metrics.registry import BUILTIN, Metric, Registry
from jsrunner.outputs.json_lines import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from core_vu import VU

    from jsrunner.outputs.base import SampleFormatter

VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30)


def new_recorder(
    outputs: Sequence[SampleFormatter] = (), registry: Registry | None = None
) -> SampleRecorder:
    return SampleRecorder(process_engine().library, registry or Registry(), outputs)


@pytest.fixture
def with_outputs() -> Iterator[Callable[[Sequence[SampleFormatter]], SampleRecorder]]:
    """Make a recorder whose samples go to outputs, one by one."""
    yield new_recorder
    new_recorder()  # no records any more


def delta_of(kind: str, values: list[float]) -> object:
    recorder = new_recorder()
    series = recorder.series(Metric("m", kind, "default"), recorder.tag_set({}))
    for value in values:
        series.add(value, 0.0)
    _, [(number, delta)], _ = recorder.collect()
    assert number == series.number
    return delta


@given(VALUES)
def test_deltas(values: list[float]) -> None:
    assert delta_of("counter", values) == pytest.approx(sum(values), abs=1e-3)
    assert delta_of("rate", values) == (sum(1 for one in values if one), len(values))
    assert delta_of("gauge", values) == (values[-1], min(values), max(values))
    assert delta_of("trend", values) == array("d", values).tobytes()


def test_tag_sets_are_interned() -> None:
    recorder = new_recorder()
    one = recorder.tag_set({"a": "1", "b": "2"})
    assert recorder.tag_set({"b": "2", "a": "1"}) is one
    assert recorder.tag_set({"a": "1"}) is not one
    metric = BUILTIN["iterations"]
    assert recorder.series(metric, one) is recorder.series(metric, one)


def test_collecting_takes() -> None:
    """A series is announced once, with the time of its first sample."""
    recorder = new_recorder()
    series = recorder.series(BUILTIN["iterations"], recorder.tag_set({"a": "b"}))
    series.add(1, 5.0)
    series.add(4, 6.0)
    number = series.number
    assert recorder.collect() == (
        [(number, "iterations", "counter", "default", {"a": "b"}, 5.0)], [(number, 5.0)], [],
    )  # fmt: skip
    assert recorder.collect() == ([], [], [])
    series.add(2, 7.0)
    assert recorder.collect() == ([], [(number, 2.0)], [])


def test_more_series_than_are_collected_at_a_time() -> None:
    recorder = new_recorder()
    for number in range(2000):
        tags = recorder.tag_set({"n": str(number)})
        recorder.series(BUILTIN["iterations"], tags).add(number, 1.0)
    new, deltas, _ = recorder.collect()
    tags_of = {number: tags for number, _, _, _, tags, _ in new}
    assert {tags_of[number]["n"]: value for number, value in deltas} == {
        str(number): float(number) for number in range(2000)
    }


def test_rows_feed_series_that_belong_together() -> None:
    recorder = new_recorder()
    row = recorder.row([BUILTIN["http_reqs"], BUILTIN["http_req_duration"]], {"url": "x"})
    row.add([1, 12.5], 1.0)
    row.add([1, 7.5], 2.0)
    new, deltas, _ = recorder.collect()
    names = {number: name for number, name, *_ in new}
    assert {names[number]: delta for number, delta in deltas} == {
        "http_reqs": 2.0, "http_req_duration": array("d", [12.5, 7.5]).tobytes(),
    }  # fmt: skip


def test_what_an_earlier_recorder_has_left_behind_is_none_of_the_next_one() -> None:
    """As that of the first init."""
    earlier = new_recorder()
    earlier.series(BUILTIN["iterations"], earlier.tag_set({})).add(1, 1.0)
    assert new_recorder().collect() == ([], [], [])


def test_outputs_get_each_sample(
    with_outputs: Callable[[Sequence[SampleFormatter]], SampleRecorder],
) -> None:
    recorder = with_outputs([JsonFormatter(), JsonFormatter()])
    series = recorder.series(BUILTIN["iterations"], recorder.tag_set({}))
    for _ in range(3):
        series.add(1, 1.0)
    series.add(1, 2.0, {"vu": "7"})
    recorder.row([BUILTIN["http_reqs"]], {}).add([1], 3.0, {"vu": "8"})
    _, deltas, lines = recorder.collect()
    assert dict(deltas)[series.number] == 4.0
    assert len(lines) == 2
    assert lines[0] == lines[1]
    assert lines[0].count(b"\n") == 5
    assert lines[0].count(b'"metadata":{"vu":"7"}') == 1
    assert lines[0].count(b'"metadata":{"vu":"8"}') == 1
    assert recorder.collect()[2] == [b"", b""]


def test_records_become_lines_before_the_snapshot_is_due(
    with_outputs: Callable[[Sequence[SampleFormatter]], SampleRecorder],
) -> None:
    recorder = with_outputs([JsonFormatter()])
    series = recorder.series(BUILTIN["iterations"], recorder.tag_set({}))
    for number in range(3):
        series.add(1, float(number))
        recorder.drain()
    assert recorder.collect()[2][0].count(b"\n") == 3


def test_metadata_that_never_repeats(
    with_outputs: Callable[[Sequence[SampleFormatter]], SampleRecorder],
) -> None:
    """As the numbers of iterations."""
    recorder = with_outputs([JsonFormatter()])
    series = recorder.series(BUILTIN["iterations"], recorder.tag_set({}))
    for number in range(12_000):
        series.add(1, 1.0, {"iter": str(number)})
    [lines] = recorder.collect()[2]
    assert lines.count(b"\n") == 12_000
    assert lines.count(b'"iter":"11999"') == 1


def test_the_core_asks_for_numbers_by_name(make_vu: Callable[..., VU]) -> None:
    """Of metrics that the script has made, and of the core's own."""
    registry = Registry()
    registry.declare("mine", "counter", "default")
    recorder = new_recorder(registry=registry)
    tags = recorder.tag_set({"a": "b"})
    vu = make_vu(
        "entries.run = (mine) => { core.emit(mine, 3); core.emit(mine, 4, { c: 'd' }); core.emit(4, 1); };",
        numbered={
            TAGS: lambda: tags.number,
            SERIES: recorder.series_number,
            MERGE: lambda metric, more: recorder.tag_set({"a": "b", **more}).number,
        },
    )
    number = recorder.metric_number("mine")
    assert recorder.metric_number("mine") == number
    vu.call("run", number, within=DEADLINE)
    new, deltas, _ = recorder.collect()
    names = {number: (name, *tags.items()) for number, name, _, _, tags, _ in new}
    assert {names[number]: delta for number, delta in deltas} == {
        ("checks", ("a", "b")): (1.0, 1.0),
        ("mine", ("a", "b")): 3.0,
        ("mine", ("a", "b"), ("c", "d")): 4.0,
    }
