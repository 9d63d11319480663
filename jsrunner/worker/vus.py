"""The VUs of a worker process: their creation, the pool of idle VUs, interruption."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from gevent.event import Event

from jsrunner.errors import JsrunnerError, ScriptError
from jsrunner.messages.protocol import DeclaredMetric, Initialized, Loaded
from jsrunner.modules import registry
from jsrunner.options.duration import format_duration
from jsrunner.worker.scenario_vu import ScenarioVU
from jsrunner.worker.vu import VU

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.worker.process import Process

#: Seconds of one wait for a VU, and how many such waits there are before the test ends with an error.
_VU_WAIT: Final = 0.4
_VU_WAITS: Final = 5


def new_vu(process: Process, number: int) -> ScenarioVU:
    """Make a VU for scenarios, and run its init code. Raises ScriptError, Interrupted."""
    vu = ScenarioVU(process, number)
    try:
        vu.initialize()
    except ScriptError as error:
        if number:
            cause = f" ({error.hint})" if error.hint else ""
            error.hint = f"error while initializing VU #{number}{cause}"
        raise
    return vu


def load(process: Process) -> Loaded:
    """Run the script's first init; return the script's description of itself.

    Raises:
        JsrunnerError: The init code has failed.
    """
    for specifier in registry.LATE:
        registry.note(specifier)
        process.script.load(specifier)
    vu = VU(process, 0)
    vu.initialize()
    # Imported now: later the process may have no file descriptor left, and connects are measured.
    registry.import_halves("console", "session")
    described = vu.interpreter.call("describeScript")
    vu.close()
    return Loaded(
        exports=described["exports"],
        options=described.get("options"),
        options_error=described.get("optionsError"),
        metrics=[
            DeclaredMetric(metric.name, metric.type, metric.contains)
            for metric in process.registry.declared()
        ],
        imports=[name for name, _ in process.script.modules() if not name.startswith("jsrunner:")],
    )


class VUPool:
    """The idle VUs of a process; `take` returns the VU that has been idle longest.

    `warn` gets texts for the log.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._idle: deque[ScenarioVU] = deque()
        self._given_back: Event | None = None  # made with the hub, for waiting greenlets

    def take(self) -> ScenarioVU:
        """Take a VU, waiting for one as long as k6 does.

        The plan has enough VUs, but an earlier scenario may be slow to give its VUs back: native code
        is not interrupted at once.

        Raises:
            JsrunnerError: No VU is idle after `_VU_WAITS` times `_VU_WAIT` seconds.
        """
        waits = 0
        while not self._idle:
            if self._given_back is None:
                self._given_back = Event()
            if self._given_back.wait(_VU_WAIT) or self._idle:
                continue
            waits += 1
            waited = format_duration(_VU_WAIT * waits)
            self._warn(f"Could not get a VU from the buffer for {waited}")
            if waits == _VU_WAITS:
                raise JsrunnerError(f"could not get a VU from the buffer in {waited}")
        return self._idle.popleft()

    def give_back(self, vu: ScenarioVU) -> None:
        """Put a VU back, and wake a greenlet that waits for one."""
        self._idle.append(vu)
        given_back, self._given_back = self._given_back, None
        if given_back is not None:
            given_back.set()

    def __len__(self) -> int:
        return len(self._idle)


class VUs:
    """All VUs of a process that play scenarios or run stages."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.pool = VUPool(lambda text: process.log("warning", text))
        #: VUs that iterate or run a stage; for interruptions.
        self.running: set[VU] = set()
        #: Count of the VUs that were made for scenarios.
        self.made = 0

    def make(self, number: int) -> None:
        """Make a planned VU and put it into the pool. Raises ScriptError, Interrupted."""
        self.pool.give_back(new_vu(self._process, number))
        self.made += 1

    def add(self) -> ScenarioVU:
        """Make one VU more than planned. Raises ScriptError."""
        assert self._process.board is not None
        vu = new_vu(self._process, self._process.machine.further_vu(self._process.board.new_vu()))
        self.made += 1
        self._process.send(Initialized(self.made))
        return vu

    def interrupt_all(self, *, even_stages: bool = False) -> None:
        """Stop all iterations and setup now; teardown and handleSummary only if `even_stages`."""
        self._process.stopping = True
        self._process.stop_event.set()
        for vu in list(self.running):
            if even_stages or vu.context.stage not in ("teardown", "handleSummary"):
                vu.interrupt()
