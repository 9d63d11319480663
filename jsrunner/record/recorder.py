"""The recorder: an output that writes a record of the run to a file (`--save run.jsr`), for reports.

It aggregates the deltas that all outputs get, in steps of a second. The size of the record is bounded:
each time when a sixth of the remaining bytes is used up, a step becomes twice as long. After 1,000
series the recorder adds up further tag sets of a metric. No error of the file ends the run.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from jsrunner.errors import JsrunnerError
from jsrunner.outputs.base import Output, OutputConfig
from jsrunner.record.lines import FORMAT, VERSION, LineWriter
from jsrunner.record.messages import Messages
from jsrunner.record.steps import Step
from jsrunner.version import K6_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsrunner.json_types import JsonObject, JsonValue
    from jsrunner.metrics.store import MergedSeries, Store
    from jsrunner.metrics.thresholds import ThresholdSet

#: Maximum bytes of a record (see `Recorder`).
_LIMIT: Final = 100_000_000
#: The part of the remaining bytes after which steps become twice as long.
_PART: Final = 1 / 6
#: Maximum series with tags of their own.
_MOST_SERIES: Final = 1_000
_LEVELS: Final = ("warning", "error")


class SessionTotals(Protocol):
    """Figures of WebSocket sessions, as `coordinator.collector.Totals` has them."""

    @property
    def sessions_open(self) -> int:
        """The number of sessions that are open now."""
        ...

    @property
    def failed_handshakes(self) -> int:
        """The number of handshakes that have failed."""
        ...

    @property
    def closes(self) -> Mapping[int, int]:
        """The number of sessions that were closed with each code."""
        ...


class WatchedRun(Protocol):
    """The run as `coordinator.view.RunView` shows it."""

    @property
    def store(self) -> Store:
        """The merged samples of all workers."""
        ...

    @property
    def thresholds(self) -> ThresholdSet:
        """The thresholds and their verdicts so far."""
        ...

    @property
    def started(self) -> float:
        """The moment when setup began, in seconds of time.monotonic."""
        ...

    def totals(self) -> SessionTotals:
        """Return the figures of all workers that are no metrics."""
        ...


class Recorder(Output):
    """Records one run. All methods are called in the coordinator's thread."""

    def __init__(
        self,
        path: str,
        *,
        script_name: str,
        script: bytes | str,
        step: int = 1,
        split_tags: Sequence[str] = (),
        limit: int = _LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a recorder; `begin` and the opening of the outputs start it.

        Args:
            path: The file, which is overwritten; "" if it is known only when the outputs are opened.
            script_name: The script as the command line names it.
            script: The script's text. The record has its SHA-256.
            step: Seconds of a step.
            split_tags: The tags that pages split charts by; empty for all tags.
            limit: Maximum bytes of the record without its last step.
            clock: The clock, in seconds.
        """
        super().__init__()
        self.path = path
        self._script_name = script_name
        text = script.encode("utf-8", "surrogatepass") if isinstance(script, str) else script
        self._script_hash = hashlib.sha256(text).hexdigest()
        self._clock = clock
        self._run: WatchedRun | None = None
        self._options: Mapping[str, JsonValue] = {}
        self._writer: LineWriter | None = None
        self._is_open = False
        #: When the first step began, by the clock.
        self._origin = self._clock()
        self._step = Step()
        #: The number of the step's first second, and how many seconds it has.
        self._second, self._length = 0, step
        self._split_tags = list(split_tags)
        self._limit, self._next_size = limit, limit * _PART
        self._numbers: dict[MergedSeries, int] = {}
        self._folded: dict[str, int] = {}
        self._series_count = 0
        self._messages = Messages()
        self._closes: dict[int, int] = {}
        self._failed_handshakes = 0
        self._verdicts: dict[tuple[str, int], bool] = {}

    @property
    def is_open(self) -> bool:
        """True once the record has begun; readable by other threads."""
        return self._is_open

    @property
    def config(self) -> OutputConfig:
        """The recorder as one of the run's outputs."""
        return OutputConfig(f"record ({self.path})" if self.path else "record", self._open)

    def begin(self, run: WatchedRun, options: Mapping[str, JsonValue]) -> None:
        """Take note of the run whose test is known. Called before the outputs are opened.

        Args:
            run: The run.
            options: The test's options, in the shape of `exec.test.options`.
        """
        self._run, self._options = run, options

    def _open(self, system_tags: Sequence[str]) -> Recorder:
        try:
            file: IO[bytes] = open(self.path, "wb", buffering=0)  # noqa: SIM115 - `finish` closes it
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise JsrunnerError(f"could not create the record: open {self.path}: {reason}") from None
        self._writer = LineWriter(file)
        self._origin = self._clock()
        self._add(
            {
                "format": FORMAT,
                "version": VERSION,
                "jsrunner": __version__,
                "k6": K6_VERSION,
            }
        )
        self._add({"kind": "run", **self._described(system_tags)})
        self._flush()
        self._is_open = True
        return self

    def _described(self, system_tags: Sequence[str]) -> JsonObject:
        assert self._run is not None
        thresholds = self._run.thresholds
        return {
            "script": {"name": self._script_name, "sha256": self._script_hash},
            "started": time.time(),
            "options": {name: value for name, value in self._options.items() if value is not None},
            "system_tags": list(system_tags),
            "split_tags": self._split_tags,
            "thresholds": [
                {
                    "key": key,
                    "metric": thresholds.metric_name(key),
                    "tags": thresholds.submetrics[key].tags if key in thresholds.submetrics else {},
                    "source": threshold.source,
                    "aggregation": threshold.aggregation,
                    "operator": threshold.operator,
                    "value": threshold.value,
                }
                for key, listed in thresholds.thresholds.items()
                for threshold in listed
            ],
            "machine": {
                "system": f"{platform.system()} {platform.release()}",
                "machine": platform.machine(),
                "python": platform.python_version(),
                "cores": os.cpu_count(),
                "host": platform.node(),
            },
        }

    # -- while the run goes on ---------------------------------------------------------------------

    def merge(self, deltas: Sequence[tuple[MergedSeries, Any]]) -> None:
        """Add the deltas of a worker to the current step."""
        self._advance()
        for series, delta in deltas:
            self._step.add(self._number(series), series, delta)

    def log(self, level: str, text: str, moment: int, fields: Mapping[str, object]) -> None:
        """Take a record of the log; `moment` is nanoseconds since the epoch."""
        if level in _LEVELS and self._writer is not None:
            for line in self._messages.add(level, text, self._elapsed(), fields):
                self._add(line)

    def _elapsed(self) -> float:
        return round(self._clock() - self._origin, 3)

    def _advance(self) -> None:
        """Write the step, if its time is over."""
        # Snapshots come every second: half a second's shift keeps their jitter away from a step's edge.
        second = int(self._clock() - self._origin + 0.5)
        if second >= self._second + self._length:
            self._write_step(self._length)
            self._second = second - second % self._length

    def _write_step(self, seconds: int) -> None:
        step, self._step = self._step, Step()
        line: JsonObject = {"kind": "step", "at": self._second, "rows": list(step.rows())}
        if seconds > 1:
            line["seconds"] = seconds
        if counts := self._messages.take_counts():
            line["messages"] = list(counts.items())
        if sessions := self._take_sessions():
            line["sessions"] = sessions
        self._add(line)
        self._add_verdicts()
        self._flush()
        if self._writer is not None and self._writer.size > self._next_size:
            self._next_size += (self._limit - self._next_size) * _PART
            self._length *= 2

    def _take_sessions(self) -> JsonObject | None:
        """Return the figures of WebSocket sessions since the last call; None for a run without any."""
        assert self._run is not None
        totals = self._run.totals()
        if not (totals.sessions_open or totals.failed_handshakes or totals.closes):
            return None
        closes, self._closes = self._closes, dict(totals.closes)
        failed, self._failed_handshakes = self._failed_handshakes, totals.failed_handshakes
        added = {code: count - closes.get(code, 0) for code, count in totals.closes.items()}
        return {
            "open": totals.sessions_open,
            "failed": totals.failed_handshakes - failed,
            "closes": [[code, count] for code, count in added.items() if count],
        }

    def _add_verdicts(self) -> None:
        """Add a line for each threshold whose verdict has changed."""
        assert self._run is not None
        for key, thresholds in self._run.thresholds.thresholds.items():
            for index, threshold in enumerate(thresholds):
                failed = threshold.failed
                if failed is None or self._verdicts.get((key, index)) is failed:
                    continue
                self._verdicts[key, index] = failed
                self._add(
                    {
                        "kind": "threshold", "at": self._elapsed(), "key": key,
                        "source": threshold.source, "failed": failed,
                    }
                )  # fmt: skip

    def _number(self, series: MergedSeries) -> int:
        number = self._numbers.get(series)
        if number is None:
            name, is_kept = series.metric.name, self._series_count < _MOST_SERIES
            number = None if is_kept else self._folded.get(name)
            if number is None:
                number = self._series_count
                self._series_count += 1
                if not is_kept:
                    self._folded[name] = number
                self._add_series(number, series, series.tags if is_kept else {})
            self._numbers[series] = number
        return number

    def _add_series(self, number: int, series: MergedSeries, tags: Mapping[str, str]) -> None:
        metric = series.metric
        self._add(
            {
                "kind": "series", "number": number, "metric": metric.name, "type": metric.type,
                "contains": metric.contains, "tags": tags,
            }
        )  # fmt: skip

    # -- the end -----------------------------------------------------------------------------------

    def end(self) -> None:
        """Write the last step; `finish` writes the verdict."""
        if self._writer is not None:
            seconds = round(self._clock() - self._origin) - self._second
            self._write_step(min(max(seconds, 1), self._length))

    def finish(self, code: int, reason: str) -> None:
        """Write the verdict and close the file.

        Args:
            code: The run's exit code.
            reason: Why the run has not passed; "" for a run that has.
        """
        if self._writer is None or self._run is None:
            return
        counts = list(self._messages.take_counts().items())
        line: JsonObject = {
            "kind": "end", "at": self._elapsed(), "code": code, "reason": reason, "messages": counts,
        }  # fmt: skip
        self._add(line | self._results(self._run))
        writer = self._writer
        if writer is not None:
            try:
                writer.close()
            except OSError as error:
                self._fail(error)
            self._writer = None

    def _results(self, run: WatchedRun) -> JsonObject:
        elapsed = max(self._clock() - run.started, 1e-9)
        stats = ("avg", "min", "med", "max", "p(90)", "p(95)", "p(99)", "count")
        metrics = {
            key: {"type": entry.metric.type, "contains": entry.metric.contains}
            | {"values": entry.sink.format(elapsed, stats)}
            for key, entry in run.store.entries.items()
            if not entry.sink.empty
        }
        thresholds: list[JsonObject] = [
            {
                "key": key, "source": threshold.source, "failed": bool(threshold.failed),
                "value": sink.value_of(threshold.aggregation, elapsed),
            }
            for key, listed in run.thresholds.thresholds.items()
            if (sink := run.store.sink(key)) is not None
            for threshold in listed
        ]  # fmt: skip
        checks: list[JsonObject] = [
            {
                "name": check.name, "group": check.group or "", "passes": check.passes,
                "fails": check.fails,
            }
            for check in run.store.checks()
        ]  # fmt: skip
        return {"metrics": metrics, "thresholds": thresholds, "checks": checks}

    # -- the file ----------------------------------------------------------------------------------

    def _add(self, line: Mapping[str, JsonValue]) -> None:
        if self._writer is not None:
            try:
                self._writer.add(line)
            except OSError as error:
                self._fail(error)

    def _flush(self) -> None:
        if self._writer is not None:
            try:
                self._writer.flush()
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Go on without the record; what was flushed before can be read."""
        self._writer = None
        reason = (error.strerror or str(error)).lower()
        self.news.append(("error", f"writing the record {self.path} failed: {reason}"))
