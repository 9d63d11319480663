"""The state of a run at one moment: the data that displays show."""

from __future__ import annotations

from msgspec import Struct

from jsrunner.coordinator.state import Phase  # noqa: TC001 - tests build states by their annotations

#: The sign of each status of a scenario. `idle` is before the scenarios begin.
SIGNS = {
    "idle": " ",
    "waiting": "•",
    "running": " ",
    "stopping": "↓",
    "interrupted": "✗",
    "done": "✓",
}


class ScenarioState(Struct, frozen=True):
    """`status` is a key of SIGNS, `progress` goes from 0 to 1, `columns` stand right of the bar."""

    name: str
    status: str
    progress: float = 0.0
    columns: tuple[str, ...] = ()


class Sockets(Struct, frozen=True):
    """WebSocket sessions; messages per second; milliseconds. None where nothing is known yet."""

    open: int
    received: float | None
    sent: float | None
    connect_p95: float | None
    failed: int


class Requests(Struct, frozen=True):
    """HTTP requests per second; milliseconds; the part of them that failed, from 0 to 1."""

    rate: float | None
    p95: float | None
    failed: float


class Course(Struct, frozen=True):
    """A main figure over the last seconds, the latest value last."""

    label: str
    values: tuple[float, ...]


class Risk(Struct, frozen=True):
    """A threshold that fails at present. `type` and `contains` describe its metric."""

    key: str
    source: str
    value: float
    type: str
    contains: str


class ErrorKind(Struct, frozen=True):
    """Number of logged errors of one kind, and the first message: one line of printable characters."""

    count: int
    message: str


class State(Struct, frozen=True):
    """Snapshot of a run for the display. Times are in seconds."""

    phase: Phase
    #: Seconds since setup began.
    elapsed: float
    #: Maximum duration of the run in seconds; it fixes the width of displayed times.
    limit: float
    #: VUs that run an iteration, VUs that exist, VUs that must exist before setup.
    active: int
    initialized: int
    wanted: int
    complete: int
    interrupted: int
    scenarios: tuple[ScenarioState, ...]
    sockets: Sockets | None = None
    requests: Requests | None = None
    failed_iterations: int = 0
    #: Share of all checks that failed, from 0 to 1; None without checks.
    failed_checks: float | None = None
    #: Number of thresholds whose metric has samples.
    thresholds: int = 0
    risks: tuple[Risk, ...] = ()
    courses: tuple[Course, ...] = ()
