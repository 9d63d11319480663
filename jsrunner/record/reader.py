"""Records as programs read them: `read` has a whole record, with steps merged to a bounded number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct, field

from jsrunner.record.lines import LineReader, RecordError
from jsrunner.record.sketch import merged, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence


class RecordedSeries(Struct, frozen=True):
    """A metric with one tag set."""

    number: int
    metric: str
    type: str
    contains: str
    tags: dict[str, str]


class RecordedStep(Struct):
    """The additions to each series from second `at` on, during `seconds` seconds."""

    at: int
    seconds: int
    rows: dict[int, list[Any]]
    messages: dict[int, int] = field(default_factory=dict)


class Record(Struct):
    """A run as its record has it; `end` is None for a run that was killed."""

    path: str
    head: dict[str, Any]
    run: dict[str, Any]
    series: list[RecordedSeries] = field(default_factory=list)
    steps: list[RecordedStep] = field(default_factory=list)
    #: Lines of the kinds log, message and threshold.
    events: list[dict[str, Any]] = field(default_factory=list)
    end: dict[str, Any] | None = None
    #: Whether the file goes on with what cannot be read.
    is_damaged: bool = False


def read(path: str, *, most_steps: int = 0) -> Record:
    """Read a record.

    Args:
        path: The file.
        most_steps: Steps are merged in pairs when there are more than twice as many; 0 for all steps.

    Raises:
        RecordError: There is no such file, it is no record, or its format is a newer one.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 - the next line closes it
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise RecordError(f"could not read the record {path}: {reason}") from None
    with file:
        reader = LineReader(file, path)
        record = Record(path, {}, {})
        length = 1
        try:
            for line in reader.lines():
                _take(record, orjson.loads(line))
                while most_steps and len(record.steps) > 2 * most_steps:
                    length *= 2
                    record.steps = _joined(record, length)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RecordError(f"could not read the record {path}: {reason}") from None
        except (KeyError, TypeError, ValueError, AttributeError):
            record.is_damaged = True
        reader.check_head()
    record.is_damaged = record.is_damaged or reader.is_damaged
    if not record.run:
        raise RecordError(f"could not read the record {path}: it ends before its run begins")
    return record


def _take(record: Record, line: dict[str, Any]) -> None:
    if not record.head:
        record.head = line
        return
    kind = line.get("kind")
    if kind == "run":
        record.run = line
    elif kind == "series":
        known = RecordedSeries(
            line["number"], line["metric"], line["type"], line["contains"], line["tags"]
        )
        if known.number != len(record.series):
            raise ValueError("series have no gaps")
        record.series.append(known)
    elif kind == "step":
        rows = {row[0]: row[1:] for row in line["rows"]}
        if rows and max(rows) >= len(record.series):
            raise ValueError("a step names a series that is not declared")
        messages = dict(line.get("messages", ()))
        record.steps.append(RecordedStep(line["at"], line.get("seconds", 1), rows, messages))
    elif kind in ("log", "message", "threshold"):
        record.events.append(line)
    elif kind == "end":
        record.end = line


def _joined(record: Record, length: int) -> list[RecordedStep]:
    """Return the steps merged so that each has `length` seconds or more."""
    joined: list[RecordedStep] = []
    for step in record.steps:
        start = step.at - step.at % length
        if joined and joined[-1].at == start:
            _absorb(record.series, joined[-1], step)
        else:
            joined.append(RecordedStep(start, max(length, step.seconds), step.rows, step.messages))
    return joined


def _absorb(series: Sequence[RecordedSeries], step: RecordedStep, other: RecordedStep) -> None:
    for number, row in other.rows.items():
        known = step.rows.get(number)
        step.rows[number] = row if known is None else join_rows(series[number].type, known, row)
    for number, count in other.messages.items():
        step.messages[number] = step.messages.get(number, 0) + count


def join_rows(type_: str, first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """Return the figures of two steps of a series together."""
    if type_ in ("counter", "rate"):
        return [one + other for one, other in zip(first, second, strict=True)]
    if type_ == "gauge":
        return [second[0], min(first[1], second[1]), max(first[2], second[2])]
    return [
        first[0] + second[0],
        first[1] + second[1],
        min(first[2], second[2]),
        max(first[3], second[3]),
        pack(merged((unpack(first[4]), unpack(second[4])))),
    ]
