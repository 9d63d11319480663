"""Records that runs are made of: checks, thresholds, lines of the log, snapshots."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import Struct, field


class Check(NamedTuple):
    """The outcome of a check over the whole run."""

    passes: int
    fails: int


class Threshold(Struct, frozen=True):
    """A threshold and what came of it."""

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
    """A record of a run's log: what the script prints, its exceptions, what jsrunner reports."""

    #: debug, info, warning or error.
    level: str
    text: str
    #: Nanoseconds since the epoch.
    time: int
    #: E.g. `source`, which is `console` for what the script prints.
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
    #: VUs that run an iteration now, and VUs that there are.
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
    #: What has samples, as it stands now.
    thresholds: tuple[Threshold, ...] = ()
