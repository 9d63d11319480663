"""The record of a run that `--save` keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.record.recorder import Recorder

if TYPE_CHECKING:
    from jsrunner.coordinator.run import Run
    from jsrunner.coordinator.view import RunView
    from jsrunner.options.runtime import Runtime
    from jsrunner.script.script import Script
    from jsrunner.ui.log import Logger


class Recording:
    """Records one run, and finishes the record when the run is over."""

    def __init__(self, runtime: Runtime, script: Script, logger: Logger) -> None:
        """Make the recorder of a run with `--save`."""
        self._logger = logger
        self.recorder = Recorder(runtime.save or "", script_name=script.name, script=script.text)
        logger.listener = self.recorder.log

    def observe(self, view: RunView) -> None:
        """Take note of the run, whose test is known."""
        self.recorder.begin(view)

    def execute(self, run: Run) -> ExitCode:
        """Run the test; finish the record, however the run ends.

        Raises:
            JsrunnerError: As `Run.execute`.
        """
        try:
            try:
                code = run.execute()
            except JsrunnerError as error:
                self.recorder.finish(error.exit_code, str(error))
                raise
            self.recorder.finish(code, run.reason)
            return code
        finally:
            self._logger.listener = None
