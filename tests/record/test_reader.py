"""Whole records, and the merging of their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.record.lines import FORMAT, VERSION, LineWriter, RecordError
from jsrunner.record.reader import RecordedSessions, coarsen, join_rows, read
from jsrunner.record.sketch import unpack

if TYPE_CHECKING:
    from pathlib import Path

HEAD = {"format": FORMAT, "version": VERSION, "jsrunner": "1"}
RUN = {"kind": "run", "script": {"name": "a.js"}}
SERIES = {
    "kind": "series",
    "number": 0,
    "metric": "m",
    "type": "counter",
    "contains": "default",
    "tags": {},
}


def record(path: Path, *lines: dict[str, Any]) -> str:
    with path.open("wb", buffering=0) as file:
        writer = LineWriter(file)
        for line in lines:
            writer.add(line)
        writer.close()
    return str(path)


def test_a_record_as_a_whole(tmp_path: Path) -> None:
    step = {"kind": "step", "at": 3, "rows": [[0, 5]], "messages": [[0, 2]]}
    log = {"kind": "log", "at": 1, "level": "error", "text": "x"}
    end = {"kind": "end", "code": 0}
    found = read(record(tmp_path / "r", HEAD, RUN, SERIES, step, log, {"kind": "of the future"}, end))
    assert (found.run, found.events, found.end) == (RUN, [log], end)
    assert [(each.at, each.seconds, each.rows, each.messages) for each in found.steps] == [
        (3, 1, {0: [5]}, {0: 2})
    ]
    assert not found.is_damaged


def test_many_steps_are_merged(tmp_path: Path) -> None:
    steps = [{"kind": "step", "at": at, "rows": [[0, 1]], "messages": [[0, 1]]} for at in range(100)]
    found = read(record(tmp_path / "r", HEAD, RUN, SERIES, *steps), most_steps=10)
    assert len(found.steps) <= 10
    assert sum(step.rows[0][0] for step in found.steps) == 100
    assert sum(step.messages[0] for step in found.steps) == 100
    assert [step.at % step.seconds for step in found.steps] == [0] * len(found.steps)


@pytest.mark.parametrize(
    ("type_", "joined"),
    [("counter", [3]), ("rate", [3]), ("gauge", [2, 1, 2])],
)
def test_rows_of_two_steps(type_: str, joined: list[int]) -> None:
    first, second = ([1, 1, 1], [2, 2, 2]) if type_ == "gauge" else ([1], [2])
    assert join_rows(type_, [first, second]) == joined


def test_trends_of_two_steps() -> None:
    count, total, least, most, packed = join_rows(
        "trend", [[1, 4, 4, 4, [9, 1]], [2, 2, 1, 1, [9, 1, 1, 1]]]
    )
    assert (count, total, least, most) == (3, 6, 1, 4)
    assert unpack(packed) == {9: 2, 10: 1}


@pytest.mark.parametrize("line", [
    {"kind": "step", "at": 0, "rows": [[1, 1]]}, {"kind": "step"}, {"kind": "series", "number": 5}, 17,
    {**SERIES, "number": 1, "type": "of the future"}, {**SERIES, "number": 1, "tags": []},
    *({"kind": "step", "at": at, "rows": [row]} for at, row in (
        (0, [0]), (0, [0, "1"]), (0, [0, 1, 2]), (0, [0, None]), (0, []), ("0", [0, 1]), (None, [0, 1]), (0, [[], 1]),
    )),
])  # fmt: skip
def test_wrong_lines_end_the_reading(tmp_path: Path, line: Any) -> None:
    found = read(record(tmp_path / "r", HEAD, RUN, SERIES, line, {"kind": "end"}))
    assert found.is_damaged
    assert found.end is None


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        read(str(tmp_path / "nothing"))
    with pytest.raises(RecordError, match="is a directory"):
        read(str(tmp_path))
    with pytest.raises(RecordError, match="ends before its run begins"):
        read(record(tmp_path / "r", HEAD))


def test_buckets_are_widened_first(tmp_path: Path) -> None:
    trend = {**SERIES, "type": "trend"}
    steps = [
        {"kind": "step", "at": at, "rows": [[0, 8, 9, 1, 2, [16, 1] + [1, 1] * 7]]} for at in range(8)
    ]
    for most, figures, count in ((128, 16, 8), (127, 4, 8), (31, 4, 4)):
        found = read(record(tmp_path / "r", HEAD, RUN, trend, *steps))
        coarsen(found, most_figures=most, fewest_steps=1)
        assert [len(step.rows[0][4]) for step in found.steps] == [figures] * count
        assert sum(unpack(step.rows[0][4]).total() for step in found.steps) == 64


def test_steps_are_merged_until_sketches_have_few_figures(tmp_path: Path) -> None:
    trend = {**SERIES, "type": "trend"}
    row = [0, 2, 5, 2, 3, [10, 1, 4, 1]]
    steps = [{"kind": "step", "at": at, "rows": [row]} for at in range(64)]
    path = record(tmp_path / "r", HEAD, RUN, trend, *steps)
    for most, fewest, count in ((256, 4, 64), (200, 4, 32), (64, 4, 16), (0, 4, 4), (0, 5, 8)):
        found = read(path)
        coarsen(found, most_figures=most, fewest_steps=fewest)
        assert len(found.steps) == count
        assert sum(step.rows[0][0] for step in found.steps) == 128
        assert {step.seconds for step in found.steps} == {64 // count}


def test_sessions_of_steps_are_merged(tmp_path: Path) -> None:
    def sessions(open_now: int, failed: int, *closes: list[int]) -> dict[str, Any]:
        return {"sessions": {"open": open_now, "failed": failed, "closes": closes}}

    steps: list[dict[str, Any]] = [
        {}, sessions(2, 1), sessions(3, 0, [1000, 2], [4001, 1]), sessions(1, 2, [1000, 1])
    ]  # fmt: skip
    listed = [{"kind": "step", "at": at, "rows": [], **more} for at, more in enumerate(steps)]
    path = record(tmp_path / "r", HEAD, RUN, *listed)
    assert [step.sessions for step in read(path).steps][:2] == [None, RecordedSessions(2, 1, {})]
    first, second = read(path, most_steps=2).steps
    assert first.sessions == RecordedSessions(2, 1, {})
    assert second.sessions == RecordedSessions(1, 2, {1000: 3, 4001: 1})
