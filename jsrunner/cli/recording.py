"""The record of a run for `--save`, and its report for `--report`."""

from __future__ import annotations

import contextlib
import os
import tempfile
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
    """The recording of one run, which makes the record and the report when the run is over."""

    def __init__(self, runtime: Runtime, script: Script, logger: Logger) -> None:
        """Make the recorder; without `--save` the record is a temporary file."""
        self._report = runtime.report
        self._logger = logger
        self._is_temporary = not runtime.save
        path = runtime.save or ""
        if self._is_temporary:
            file, path = tempfile.mkstemp(prefix="jsrunner-", suffix=".jsr")
            os.close(file)
        self.recorder = Recorder(path, script_name=script.name, script=script.text)
        logger.listener = self.recorder.log

    def observe(self, view: RunView) -> None:
        """Take note of the run, whose test is known."""
        self.recorder.begin(view)

    def execute(self, run: Run) -> ExitCode:
        """Run the test; finish the record and make the report, however the run ends.

        Raises:
            JsrunnerError: As `Run.execute`.
        """
        try:
            try:
                code = run.execute()
            except JsrunnerError as error:
                self.recorder.finish(error.exit_code, str(error))
                self._publish()
                raise
            self.recorder.finish(code, run.reason)
            self._publish()
            return code
        finally:
            self._logger.listener = None
            if self._is_temporary:
                with contextlib.suppress(OSError):
                    os.unlink(self.recorder.path)

    def _publish(self) -> None:
        """Write the report. What goes wrong is logged: the run has its verdict."""
        if not self._report:
            return
        from jsrunner.report.document import write_report

        try:
            write_report(self.recorder.path, self._report)
        except JsrunnerError as error:
            self._logger.log("error", str(error))
