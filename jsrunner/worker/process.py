"""The state that all VUs of a worker process share: the script, the engine, options, series."""

from __future__ import annotations

import ctypes
import functools
import os
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from gevent.event import Event

from jsrunner.core.binding import MAX_CLOSE_CODES
from jsrunner.engine.engine import CLOSED, DRAIN, process_engine
from jsrunner.engine.recorder import SampleRecorder
from jsrunner.messages.protocol import Log, MarkFailed, Secret
from jsrunner.metrics.registry import Registry
from jsrunner.options.model import SYSTEM_TAGS
from jsrunner.worker.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.messages.board import Board, Counts
    from jsrunner.messages.plan import Machine, WorkerPlan
    from jsrunner.options.model import Options
    from jsrunner.script.script import ScriptBundle
    from jsrunner.secrets.sources import SecretSources
    from jsrunner.transport.deflate import Deflate
    from jsrunner.transport.dial import Dialer

#: Bytes that may wait to be sent by one k6/websockets socket and by all of a VU, and how many seconds a
#: script that sends more waits for a peer that reads nothing. k6 has no bounds.
_UNSENT_BYTES: Final = 256 << 20
_UNSENT_BYTES_OF_VU: Final = 512 << 20
_UNSENT_PATIENCE: Final = 10.0
#: Seconds that peers get to read the output of a VU whose iteration has failed or was interrupted. k6
#: waits for ever. The coordinator kills workers whose VUs take longer than 10 seconds.
_LAST_PATIENCE: Final = 8.0
#: Maximum fragments of a WebSocket message; more end the connection with 1009.
_MOST_FRAGMENTS: Final = 1 << 20
#: The text of the module that an interpreter evaluates first, before any code of a script.
MAIN: Final = "".join(
    f"import 'jsrunner:{name}';"
    for name in ("primordials", "errors", "host", "language", "globals/environment", "vu")
)


class Process:
    """The state that all VUs of a worker share. Before `configure` it serves the first init only."""

    def __init__(
        self,
        script: ScriptBundle,
        *,
        environment: Mapping[str, str],
        secrets: SecretSources,
        send: Callable[..., None],
        features: frozenset[str] = frozenset(),
    ) -> None:
        self.script = script
        script.log = self.log
        self.environment = dict(environment)
        #: k6's features that are on, by name.
        self.features = features
        self.is_environment_frozen = "freeze-env" in features
        self.secrets = secrets
        self._redacted: set[str] = set()
        #: Sends a message to the coordinator.
        self.send = send
        self.registry = Registry()
        self.engine = process_engine()
        self.engine.forget_modules()  # of another script, in tests
        self.engine.begin_with(MAIN)
        self.recorder = SampleRecorder(self.engine.library, self.registry)
        #: The compression of sessions that have agreed on permessage-deflate, by key.
        self.deflates: dict[int, Deflate] = {}
        self._logged_faults: set[str] = set()
        #: Module state that lasts as long as the process, e.g. the contents of SharedArrays.
        self.shared: dict[str, Any] = {}
        self.plan: WorkerPlan | None = None
        self._machine: Machine | None = None
        self.run_tags: dict[str, str] = {}
        self.system_tags = frozenset(SYSTEM_TAGS)
        self.minimum_iteration = 0.0
        self.user_agent = ""
        #: Counts of the scenarios, over all processes.
        self.counts: list[Counts] = []
        #: True if WebSockets follow the RFCs where k6 does not.
        self.is_strict = False
        #: True if all iterations must stop.
        self.stopping = False
        self._stop_event: Event | None = None  # made with the hub
        self._started_at = time.monotonic()
        #: Counts of all processes; None before `configure`.
        self.board: Board | None = None
        self._instance: Instance | None = None
        self.failed_handshakes = self.iteration_failures = 0
        #: Reason of the first failed WebSocket handshake; "" if none has failed.
        self.handshake_failure = ""
        self._closes = (ctypes.c_uint32 * (2 * MAX_CLOSE_CODES))()

    @functools.cached_property
    def dialer(self) -> Dialer:
        """The maker of connections, created on first use."""
        from jsrunner.transport.dial import Dialer

        return Dialer(self.options, os.environ, self.log_once)

    @property
    def options(self) -> Options:
        """The run's options; available from `configure` on."""
        assert self.plan is not None
        return self.plan.test.options

    @property
    def stop_event(self) -> Event:
        """Set when all iterations must stop; available from `configure` on."""
        assert self._stop_event is not None
        return self._stop_event

    @property
    def instance(self) -> Instance:
        """The run over all processes; available from `configure` on."""
        assert self._instance is not None
        return self._instance

    @property
    def machine(self) -> Machine:
        """This machine's place in the run."""
        assert self._machine is not None
        return self._machine

    def configure(self, machine: Machine, board: Board) -> None:
        """Set the process up by the coordinator's plan; from now on there is a hub."""
        plan = machine.plan
        options = plan.test.options
        self.plan = plan
        self._machine = machine
        self.board = board
        self._instance = Instance(
            board,
            self.counts,
            started_at=self._started_at,
            planned_vus=plan.planned_vus,
            machines=machine.count,
            striping=plan.test.striping,
        )
        self.run_tags = dict(options.tags or {})
        self.system_tags = options.enabled_system_tags()
        self.user_agent = plan.user_agent
        self.is_strict = os.environ.get("JSRUNNER_STRICT_WEBSOCKET") == "true"
        self.engine.library.core_session_rules(
            self.is_strict, plan.limits.frame, plan.limits.message, _MOST_FRAGMENTS
        )
        self.engine.library.core_session_queues(
            _UNSENT_BYTES, _UNSENT_BYTES_OF_VU, _UNSENT_PATIENCE, _LAST_PATIENCE
        )
        self.engine.handlers[CLOSED] = self._forget_compression
        self.engine.handlers[DRAIN] = lambda *_: self.recorder.drain()
        self.engine.start_with_hub()
        self.minimum_iteration = options.min_iteration_duration or 0.0
        self.recorder = SampleRecorder(self.engine.library, self.registry, plan.formatters)
        self.secrets.divide(len(plan.shares))
        self.script.sealed = True
        self._stop_event = Event()

    def log(self, level: str, text: str, **fields: object) -> None:
        """Send a log record to the coordinator, with the time and further fields."""
        self.send(Log(level, text, self._now_ns(), fields))

    def log_once(self, level: str, text: str) -> None:
        """Log a message of the whole run, which only one process logs."""
        self.send(Log(level, text, self._now_ns(), {}, once=True))

    def _now_ns(self) -> int:
        """Return the time by the coordinator's clock, in nanoseconds since the epoch."""
        return time.time_ns() + (self.board.clock_lag if self.board is not None else 0)

    def log_fault(self, error: BaseException) -> None:
        """Log an unexpected exception of jsrunner's code, which the script has seen as an exception.

        The traceback comes once for each place, at debug level.
        """
        text = "".join(traceback.format_exception(error))
        if text not in self._logged_faults:
            self._logged_faults.add(text)
            self.log("debug", f"a fault in jsrunner: {text}")

    def _forget_compression(self, slot: int, generation: int, _detail: int, _data: bytes) -> None:
        """Drop the compression of a session that is over."""
        self.deflates.pop(generation << 32 | slot, None)

    def redact(self, secret: str) -> None:
        """Hide a secret, which a script has got, from the log."""
        if secret not in self._redacted:
            self._redacted.add(secret)
            self.send(Secret(secret))

    @property
    def sessions_open(self) -> int:
        """Count of the process's open WebSocket sessions."""
        count: int = self.engine.library.core_sessions_open()
        return count

    def take_closes(self) -> dict[int, int]:
        """Return how many sessions were closed with each code since the last call.

        The code is that of the first close frame, sent or received; 1006 if there was none, 0 for all
        codes beyond the first 63.
        """
        count = self.engine.library.core_session_closes(self._closes)
        pairs = self._closes[: 2 * count]
        return dict(zip(pairs[::2], pairs[1::2], strict=True))

    def mark_failed(self, text: str) -> None:
        """Mark the run as failed (`exec.test.fail`); it goes on."""
        self.send(MarkFailed(text))
