"""Values of the Python API that describe a run: checks, thresholds, log records, snapshots."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import Struct, field


class Check(NamedTuple):
    """The outcome of a check over the whole run."""

    passes: int
    fails: int


class Threshold(Struct, frozen=True):
    """A threshold and its outcome."""

    #: The metric or sub-metric, e.g. `http_req_duration{status:200}`.
    metric: str
    #: The expression, e.g. `p(95)<200`.
    source: str
    passed: bool
    #: The value that the expression was compared with (times in ms); None if there is no sample.
    value: float | None

    def __str__(self) -> str:
        value = "no samples" if self.value is None else f"{self.value:.6g}"
        return f"{self.metric}: {self.source} ({value})"


class LogRecord(Struct, frozen=True):
    """A record of a run's log: a line printed by the script, an exception, or a message of jsrunner."""

    #: debug, info, warning or error.
    level: str
    text: str
    #: Nanoseconds since the epoch.
    time: int
    #: Further fields, e.g. `source`, which is `console` for lines that the script prints.
    fields: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        pairs = "".join(f" {name}={value}" for name, value in sorted(self.fields.items()))
        return f"{self.level}: {self.text}{pairs}"


class Progress(Struct, frozen=True):
    """The progress of a scenario."""

    #: idle, waiting, running, stopping, interrupted or done.
    status: str
    #: From 0 to 1.
    done: float


class Snapshot(Struct, frozen=True):
    """A run at one moment."""

    #: init, paused, setup, running, teardown or ended.
    phase: str
    #: Seconds since setup began; 0 before that.
    elapsed: float
    #: VUs that run an iteration now, and VUs that exist.
    vus: int
    vus_max: int
    #: Iterations that were completed, were interrupted, and ended by an exception.
    iterations: int
    interrupted_iterations: int
    failed_iterations: int
    #: By name.
    scenarios: dict[str, Progress]
    #: The values of each metric so far, as in `Result.metrics`.
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    #: Thresholds whose metric has samples, with their present values.
    thresholds: tuple[Threshold, ...] = ()
