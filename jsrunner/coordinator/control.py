"""The controls of a run, for the REST API and for a program that has started the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.coordinator.state import Phase
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.messages.protocol import StageName

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.loop import HasFileno, Loop
    from jsrunner.coordinator.stages import StageRunner
    from jsrunner.coordinator.state import RunState
    from jsrunner.coordinator.stopping import Stopping
    from jsrunner.coordinator.view import RunView


class RunControl:
    """The controls of one run, there from its making to its end.

    All methods are for the coordinator's thread, but for `call_soon`, by which other threads get there.
    """

    #: The run, and its stages, as soon as the test is known.
    view: RunView
    stages: StageRunner

    def __init__(self, loop: Loop, state: RunState, stopping: Stopping, log: RunLog) -> None:
        self._loop = loop
        self._state = state
        self._stopping = stopping
        self.log = log

    # -- being called ------------------------------------------------------------------------------

    def call_soon(self, function: Callable[[], None]) -> None:
        """Call a function in the coordinator's thread soon. Any thread may ask for it."""
        self._loop.call_soon(function)

    def watch(self, source: HasFileno, handle: Callable[[], None]) -> None:
        """Call `handle` in the coordinator's thread whenever `source` is readable.

        Args:
            source: An object with `fileno()`, such as a socket.
            handle: Reads all available data, or calls `unwatch`; must not block.
        """
        self._loop.watch(source, handle)

    def unwatch(self, source: HasFileno) -> None:
        """Stop watching `source`."""
        self._loop.unwatch(source)

    # -- steering ----------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """The phase of the run."""
        return self._state.phase

    def pause(self) -> None:
        """Make the test wait before it begins. A test that has begun is not paused."""
        self._state.is_paused = True

    def resume(self) -> None:
        """Let a paused test begin."""
        self._state.is_paused = False

    def stop(self, reason: str, code: ExitCode) -> None:
        """End the test before its time, unless it is ending anyway: teardown and summary still come.

        Args:
            reason: The text of the error that is logged.
            code: The run's exit code.
        """
        if self._state.phase is not Phase.ENDED and self._stopping.error is None:
            self._stopping.stop_for(reason, code)

    def replace_setup_data(self, data: bytes | None) -> None:
        """Hand out other data than setup's from now on.

        Args:
            data: JSON; None for undefined.
        """
        self._state.setup_data = data

    def run_stage(self, stage: StageName) -> None:
        """Run setup or teardown besides the test; nothing happens if the script has none.

        Raises:
            JsrunnerError: It cannot run now, or has failed.
        """
        name = stage.value
        if name not in self.view.test.exports:
            return
        if self._state.phase is Phase.INIT:
            raise JsrunnerError(f"{name}() cannot run before there are VUs")
        if self.stages.is_busy:
            raise JsrunnerError(f"{name}() cannot run now: a setup() or teardown() is running")
        if stage is StageName.SETUP:
            self.stages.run_setup()
        else:
            self.stages.run_teardown()
