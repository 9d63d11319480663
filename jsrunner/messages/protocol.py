"""The messages between the coordinator and a worker.

In the order of a run::

    worker                                          coordinator
    Loaded     the script's first init is done   -->
                                                 <-- Prepare      fork, make the VUs
    Forked, Initialized ..., Ready               -->
                                                 <-- RunStage     setup()
    WorkerSnapshot, StageDone                    -->
                                                 <-- Start        play the scenarios
    WorkerSnapshot once a second, Finished       -->
                                                 <-- RunStage     teardown(), handleSummary()
    WorkerSnapshot (not after handleSummary),
    StageDone                                    -->
                                                 <-- Exit

Only the first worker of a machine sends `Loaded` and gets `Prepare`: it forks the others, which have
their streams already. Before `Prepare` the coordinator may send `Pack`, which the worker answers by
`Packed`.

`Log`, `Secret`, `MarkFailed`, `Abort` and `WorkerFailed` come at any time. `Interrupt` is sent
at any time, too; the stages and scenarios that run then end early, with their usual answers. A stream
may end at any time: a worker that has lost the coordinator exits, and the coordinator ends a run that
has lost a worker.

A change of any class here needs a new `stream.VERSION`. The decoder of `stream` reads the annotations;
without `from __future__ import annotations` they need not be compiled for that, which takes 1.4 ms.
"""

from enum import Enum
from typing import Any, NamedTuple

import msgspec

from jsrunner.errors import ExitCode
from jsrunner.metrics.sinks import Delta


class StageName(str, Enum):
    """A function of the script that runs once per test, on a VU of its own."""

    SETUP = "setup"
    TEARDOWN = "teardown"
    HANDLE_SUMMARY = "handleSummary"


class WorkerMessage(msgspec.Struct, tag=True, frozen=True):
    """Base of all messages."""


# -- worker to coordinator -------------------------------------------------------------------------


class DeclaredMetric(msgspec.Struct, frozen=True):
    """A metric that the script's init code has made."""

    name: str
    type: str
    contains: str


class Loaded(WorkerMessage, frozen=True):
    """The script's first init is done."""

    #: Type of each export, e.g. `{"default": "function"}`.
    exports: dict[str, str]
    #: The script's options as JSON; None if it exports none.
    options: str | None
    #: The reason why the options are not JSON; None if they are.
    options_error: str | None
    metrics: list[DeclaredMetric]
    #: Specifiers of all modules that were loaded, the script itself included.
    imports: list[str] = []


class WorkerFailed(WorkerMessage, frozen=True):
    """The worker cannot continue: the fields of its JsrunnerError."""

    text: str
    exit_code: ExitCode
    hint: str | None = None


class Initialized(WorkerMessage, frozen=True):
    """This number of the worker's VUs have run their init code."""

    vus: int


class Packed(WorkerMessage, frozen=True):
    """The script with all files that its first init has imported and opened."""

    #: In the format of `script.archive`.
    archive: bytes


class Forked(WorkerMessage, frozen=True):
    """The worker's process has begun."""

    process_id: int


class Ready(WorkerMessage, frozen=True):
    """All VUs of this worker have been made."""


class StageDone(WorkerMessage, frozen=True):
    """A stage has ended: its failure, or its result as JSON."""

    #: The exception's text.
    error: str | None
    #: None for undefined.
    result: bytes | None
    timed_out: bool = False
    #: The failure is an unhandled rejection of a promise, which k6 does not count as an exception.
    is_rejection: bool = False
    #: The failure is that handleSummary has called exec.test.abort.
    aborted: bool = False


class NewSeries(NamedTuple):
    """A metric with one set of tags, before its first delta."""

    #: The number of the series in the worker's deltas.
    number: int
    metric: str
    type: str
    contains: str
    tags: dict[str, str]
    #: Time of the first sample, in seconds since the epoch.
    first_time: float


class SeriesDelta(NamedTuple):
    """The sum that a worker has added to a series since its last snapshot."""

    number: int
    delta: Delta


class WorkerSnapshot(WorkerMessage, frozen=True):
    """The worker's samples since its last snapshot, and some counts as they are now."""

    series: list[NewSeries]
    deltas: list[SeriesDelta]
    #: For each output that writes every sample, in their order: the bytes made by its formatter.
    lines: list[bytes]
    sessions_open: int
    #: Start lags of arrival rates since the last snapshot: milliseconds, as doubles.
    lateness: bytes
    #: Iterations that have ended with an exception, since the start of the run.
    iteration_failures: int
    #: WebSocket handshakes that have failed, since the start of the run.
    failed_handshakes: int
    #: The reason of the first failed handshake.
    handshake_failure: str = ""
    #: Sessions that were closed since the last snapshot, by close code (see `Process.take_closes`).
    closes: dict[int, int] = {}


class Log(WorkerMessage, frozen=True):
    """A record of the log."""

    #: debug, info, warning or error.
    level: str
    text: str
    #: Nanoseconds since the epoch.
    time: int
    #: Texts, numbers and booleans by their names.
    fields: dict[str, Any]
    #: True if the run logs this text only once, however many workers send it.
    once: bool = False


class Secret(WorkerMessage, frozen=True):
    """A script has read this secret. The log must not show it from now on."""

    value: str


class Abort(WorkerMessage, frozen=True):
    """The script called exec.test.abort: the run ends now."""

    text: str


class MarkFailed(WorkerMessage, frozen=True):
    """The script called exec.test.fail: the run goes on and ends as failed."""

    text: str


class Finished(WorkerMessage, frozen=True):
    """All scenarios of this worker have ended."""


# -- coordinator to worker -------------------------------------------------------------------------


class Pack(WorkerMessage, frozen=True):
    """Send the archive of the script."""


class Prepare(WorkerMessage, frozen=True):
    """Fork into `workers` processes, then make the VUs of each."""

    workers: int
    #: A pickled `plan.WorkerPlan`.
    plan: bytes
    #: The place of the worker's machine among the machines of the run, from 0.
    machine: int = 0


class RunStage(WorkerMessage, frozen=True):
    """Run a stage with this argument (JSON), for `timeout` seconds.

    If it is not `wanted`, only the init code runs, as k6 does where there is no handleSummary.
    """

    stage: StageName
    argument: bytes | None
    timeout: float
    wanted: bool = True


class Start(WorkerMessage, frozen=True):
    """Begin the scenarios."""

    #: The moment, by the monotonic clock of the worker's machine, in seconds.
    at: float
    #: The result of setup() as JSON; None for undefined.
    setup_data: bytes | None


class Interrupt(WorkerMessage, frozen=True):
    """Stop all iterations now."""


class Exit(WorkerMessage, frozen=True):
    """The run is over."""


AnyMessage = (
    Loaded | Packed | Forked | Initialized | Ready | StageDone | WorkerSnapshot | Finished
    | WorkerFailed | Log | Secret | Abort | MarkFailed
    | Pack | Prepare | RunStage | Start | Interrupt | Exit
)  # fmt: skip
