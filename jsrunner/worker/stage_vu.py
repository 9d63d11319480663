"""The VUs of setup, teardown and handleSummary: one for each call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from jsrunner.engine.errors import Interrupted
from jsrunner.messages.protocol import StageDone, StageName
from jsrunner.worker.vu import VU

if TYPE_CHECKING:
    from jsrunner.messages.protocol import RunStage
    from jsrunner.worker.process import Process


def run_stage(process: Process, running: set[VU], command: RunStage) -> StageDone:
    """Make a VU, run a stage on it, free it.

    Args:
        process: The worker's process.
        running: The VUs that can be interrupted, to which the stage's VU belongs meanwhile.
        command: The stage, with its argument and its timeout.

    Raises:
        JsrunnerError: The init code has failed.
        JSError: jsrunner's own JavaScript has failed, for lack of memory.
    """
    vu = StageVU(process, command.stage)
    try:
        vu.initialize()
    except Interrupted:
        return StageDone(None, None)
    try:
        if not command.wanted:
            return StageDone(None, None)
        running.add(vu)
        argument = None if command.argument is None else command.argument.decode()
        return vu.run(argument, time.monotonic() + command.timeout)
    finally:
        running.discard(vu)
        vu.end()
        vu.close()


class StageVU(VU):
    """A VU that runs one stage: setup, teardown or handleSummary."""

    def __init__(self, process: Process, stage: StageName) -> None:
        super().__init__(process, 0, stage.value)
        self._is_summary = stage is StageName.HANDLE_SUMMARY

    def run(self, argument: str | None, deadline: float) -> StageDone:
        """Call the stage's function and run the event loop until its end.

        Args:
            argument: The argument as JSON, None for none.
            deadline: Moment at which the stage is interrupted (time.monotonic).
        """
        name = self.context.stage
        entry, *arguments = (name, argument) if self._is_summary else ("stage", name, argument)
        self._deadline = deadline
        try:
            failure, *results = self.interpreter.call(entry, *arguments, deadline=deadline)
        except Interrupted:
            self._note_interruption()
            aborted = self.context.aborted if self._is_summary else None
            place = self.interpreter.place
            error = f"context canceled at {place}" if self.timed_out and place else aborted
            return StageDone(error, None, timed_out=self.timed_out, aborted=aborted is not None)
        text, is_rejection = failure or (None, False)
        result = None
        if self._is_summary:
            result = msgspec.json.encode(results)
        elif results:
            result = msgspec.json.encode(results[0])
        return StageDone(text, result, is_rejection=is_rejection)

    def end(self) -> None:
        """End the stage, whatever its outcome: free its resources, and record its bytes."""
        if self.interrupted:
            self._end_activities()
        if not self._is_summary:
            self.context.push_bytes()
