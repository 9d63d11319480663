"""Records as programs read them: `read` has a whole record, with steps merged to a bounded number."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any, Final

import orjson
from msgspec import Struct, field

from jsrunner.record.lines import LineReader, RecordError
from jsrunner.record.sketch import coarse, merged, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The kind of a step's line.
_STEP: Final = b'"kind":"step"'
#: Maximum lines of the kinds log, message and threshold that are kept.
_MOST_EVENTS: Final = 100_000
#: Number of figures in a row, by the metric's type.
_WIDTHS: Final = {"counter": 1, "rate": 2, "gauge": 3, "trend": 5}
#: The first second of a step.
_AT: Final = re.compile(rb'"at":(\d{1,12})')


class RecordedSeries(Struct, frozen=True):
    """A metric with one tag set."""

    number: int
    metric: str
    type: str
    contains: str
    tags: dict[str, str]


class RecordedSessions(Struct):
    """Counts of a step's WebSocket sessions: open ones at its end, failed ones, closed ones by code."""

    open: int
    failed: int
    closes: dict[int, int]


class RecordedStep(Struct):
    """The additions to each series from second `at` on, during `seconds` seconds."""

    at: int
    seconds: int
    rows: dict[int, Sequence[Any]]
    messages: dict[int, int] = field(default_factory=dict)
    #: None before the first WebSocket session.
    sessions: RecordedSessions | None = None


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
    #: True if the rest of the file cannot be read.
    is_damaged: bool = False

    @property
    def flaw(self) -> str:
        """The flaw of the record, as the rest of a sentence; "" for a whole record."""
        last = self.steps[-1].at + self.steps[-1].seconds if self.steps else 0
        if self.is_damaged:
            return f"is damaged: what comes after second {last} cannot be read"
        if self.end is None:
            return f"has no end: its run goes on, or was killed after second {last}"
        return ""


def read(path: str, *, most_steps: int = 0) -> Record:
    """Read a record.

    Args:
        path: The file.
        most_steps: The most steps. They are merged, to steps of a power of two of seconds. 0 for all.

    Raises:
        RecordError: There is no such file, it is no record, or its format is a newer one.
    """
    length = _length(_last_second(path), most_steps) if most_steps else 1
    record = Record(path, {}, {})
    steps = _Steps(record, length)
    with _opened(path) as file:
        reader = LineReader(file, path)
        try:
            for line in reader.lines():
                _take(record, steps, orjson.loads(line))
            steps.close()
        except OSError as error:
            raise _refusal(path, error) from None
        except (LookupError, TypeError, ValueError, AttributeError):
            record.is_damaged = True
        reader.check_head()
    record.is_damaged = record.is_damaged or reader.is_damaged
    if not record.run:
        raise RecordError(f"could not read the record {path}: it ends before its run begins")
    return record


def _opened(path: str) -> IO[bytes]:
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from None


def _refusal(path: str, error: Exception) -> RecordError:
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return RecordError(f"could not read the record {path}: {reason}")


def _last_second(path: str) -> int:
    """Return the first second of the record's last step."""
    second = 0
    with _opened(path) as file:
        try:
            for line in LineReader(file, path).lines():
                if _STEP in line and (at := _AT.search(line)):
                    second = int(at[1])
        except OSError as error:
            raise _refusal(path, error) from None
    return second


def _length(last: int, most_steps: int) -> int:
    """Return the seconds of a step, so that there are not more steps up to the last second."""
    length = 1
    while last // length >= most_steps:
        length *= 2
    return length


def coarsen(record: Record, *, most_figures: int, fewest_steps: int) -> None:
    """Make the record smaller: widen the buckets of its sketches, then merge its steps in pairs.

    Args:
        record: The record.
        most_figures: Figures of all sketches together. A record that has no more is left as it is.
        fewest_steps: Steps are not merged when there are not twice as many.
    """
    if _sketch_figures(record) <= most_figures:
        return
    for step in record.steps:
        for number, row in step.rows.items():
            if record.series[number].type == "trend":
                step.rows[number] = [*row[:4], pack(coarse(unpack(row[4])))]
    while len(record.steps) >= 2 * fewest_steps and _sketch_figures(record) > most_figures:
        fine, record.steps = record.steps, []
        steps = _Steps(record, 2 * max(step.seconds for step in fine))
        for step in fine:
            steps.add(step)
        steps.close()


def _sketch_figures(record: Record) -> int:
    trends = {series.number for series in record.series if series.type == "trend"}
    return sum(
        len(row[4]) for step in record.steps for number, row in step.rows.items() if number in trends
    )


class _Steps:
    """Adds steps to a record, merged to steps of `length` seconds or more."""

    def __init__(self, record: Record, length: int) -> None:
        self._record = record
        self._length = length
        self._rows: dict[int, list[Sequence[Any]]] = {}

    def add(self, step: RecordedStep) -> None:
        """Add a step; the last one is not complete before `close`."""
        steps, start = self._record.steps, step.at - step.at % self._length
        if steps and steps[-1].at == start:
            last = steps[-1]
            _add_counts(last.messages, step.messages)
            if last.sessions is None:
                last.sessions = step.sessions
            elif step.sessions is not None:
                last.sessions.open = step.sessions.open
                last.sessions.failed += step.sessions.failed
                _add_counts(last.sessions.closes, step.sessions.closes)
        else:
            self.close()
            seconds = max(self._length, step.seconds)
            steps.append(RecordedStep(start, seconds, {}, step.messages, step.sessions))
        for number, row in step.rows.items():
            self._rows.setdefault(number, []).append(row)

    def close(self) -> None:
        """Complete the last step, or remove it. Raises ValueError or TypeError for wrong figures."""
        rows, self._rows = self._rows, {}
        if rows:
            series = self._record.series
            step = self._record.steps.pop()
            joined = {}
            for number, listed in rows.items():
                row = join_rows(series[number].type, listed)
                _check_row(series[number].type, row)
                joined[number] = row
            step.rows = joined
            self._record.steps.append(step)


def _take(record: Record, steps: _Steps, line: dict[str, Any]) -> None:
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
        if known.type not in _WIDTHS or not isinstance(known.tags, dict):
            raise ValueError("a series is of an unknown type")
        if known.number != len(record.series):
            raise ValueError("series have no gaps")
        record.series.append(known)
    elif kind == "step":
        rows = {row[0]: row[1:] for row in line["rows"]}
        if rows and max(rows) >= len(record.series):
            raise ValueError("a step names a series that is not declared")
        messages, sessions = dict(line.get("messages", ())), None
        if counted := line.get("sessions"):
            sessions = RecordedSessions(counted["open"], counted["failed"], dict(counted["closes"]))
        steps.add(RecordedStep(line["at"], line.get("seconds", 1), rows, messages, sessions))
    elif kind in ("log", "message", "threshold"):
        if len(record.events) < _MOST_EVENTS:
            record.events.append(line)
    elif kind == "end":
        steps.close()
        record.end = line


def _add_counts(total: dict[int, int], counts: dict[int, int]) -> None:
    for number, count in counts.items():
        total[number] = total.get(number, 0) + count


def _check_row(type_: str, row: Sequence[Any]) -> None:
    """Raise ValueError or TypeError if a row is no row of this type."""
    numbers = row[:4]
    if len(row) != _WIDTHS[type_] or not all(isinstance(number, (int, float)) for number in numbers):
        raise ValueError("a row has figures of another type")
    if type_ == "trend":
        unpack(row[4])


def join_rows(type_: str, rows: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """Return the figures of some steps of a series together.

    Args:
        type_: The metric's type.
        rows: The figures, one row or more, in the order of time.

    Raises:
        ValueError: A row has figures of another type.
    """
    if len(rows) == 1:
        return rows[0]
    columns = list(zip(*rows, strict=True))
    if type_ in ("counter", "rate"):
        return [sum(column) for column in columns]
    if type_ == "gauge":
        last, least, most = columns
        return [last[-1], min(least), max(most)]
    counts, totals, least, most, sketches = columns
    return [sum(counts), sum(totals), min(least), max(most), pack(merged(map(unpack, sketches)))]
