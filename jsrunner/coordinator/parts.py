"""The parts that a run has from its beginning, before the test is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.coordinator.display import Display
    from jsrunner.coordinator.inbox import Inbox
    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.loop import Loop
    from jsrunner.coordinator.outputs import OutputSet
    from jsrunner.coordinator.settings import RunSettings
    from jsrunner.coordinator.signals import Signals
    from jsrunner.coordinator.state import RunState
    from jsrunner.coordinator.stopping import Stopping
    from jsrunner.coordinator.workers import Workers
    from jsrunner.script.script import ScriptBundle


class RunParts(Struct, frozen=True):
    """The parts of one run. `run` makes them and documents them."""

    script: ScriptBundle
    settings: RunSettings
    log: RunLog
    display: Display
    loop: Loop
    state: RunState
    stopping: Stopping
    inbox: Inbox
    workers: Workers
    signals: Signals
    outputs: OutputSet

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Handle events until `is_over()`. Raises the failure of a run that has not begun."""

        def must_return() -> bool:
            self.stopping.raise_failure()
            return is_over()

        self.loop.run_until(must_return)
