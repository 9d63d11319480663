"""The recording of a run: `--save` keeps the record, `--report` makes a report, a live page shows it.

The command and the library record a run with the same `Recording`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING, Protocol

from jsrunner.coordinator.planning import consolidated_options
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.record.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from jsrunner.coordinator.control import RunControl
    from jsrunner.coordinator.run import Run
    from jsrunner.coordinator.view import RunView
    from jsrunner.outputs.base import OutputConfig
    from jsrunner.script.script import ScriptBundle


class RecordedLog(Protocol):
    """The log of a recorded run; `ui.log.Logger` implements it."""

    #: Called with each record: level, text, nanoseconds since the epoch, fields.
    listeners: list[Callable[[str, str, int, dict[str, object]], None]]

    def log(self, level: str, text: str, moment: int | None = None, /, **fields: object) -> None:
        """Write a record."""
        ...

    def redacted(self, text: str) -> str:
        """Return a text without the secrets that no record shows."""
        ...


class Recording:
    """The recording of one run: it makes the record, and the report when the run is over."""

    def __init__(
        self,
        script: ScriptBundle,
        log: RecordedLog,
        *,
        save: str | None = None,
        report: str | None = None,
        page: Callable[[Recorder, RunControl], AbstractContextManager[object]] | None = None,
        step: int = 1,
        split_tags: Sequence[str] = (),
    ) -> None:
        """Make the recorder.

        Args:
            script: The script.
            log: The run's log, whose records are recorded.
            save: The record's file; None for a temporary file.
            report: The file of the report; None for no report.
            page: Makes a context for the time from the decision on the test to the end of the record:
                the server of a live page.
            step: Seconds of a step of the record.
            split_tags: The tags that pages split charts by; empty for all tags.
        """
        self._report = report
        self._log = log
        self._make_page = page
        self._page = contextlib.ExitStack()
        self._control: RunControl | None = None
        self._is_temporary = not save
        self._recorder = Recorder(
            save or "",
            script_name=script.name,
            script=script.text,
            step=step,
            split_tags=split_tags,
        )

    @property
    def has_page(self) -> bool:
        """True if a live page shows the run, which can stop and resume it."""
        return self._make_page is not None

    @property
    def output(self) -> OutputConfig:
        """The recorder as one of the run's outputs."""
        return self._recorder.config

    def observe(self, view: RunView) -> None:
        """Take note of the run, whose test is known."""
        self._recorder.begin(view, consolidated_options(view.test))
        if self._make_page is not None and self._control is not None:
            self._page.enter_context(self._make_page(self._recorder, self._control))

    def execute(self, run: Run) -> ExitCode:
        """Run the test. Finish the record and make the report, whatever the outcome.

        Raises:
            JsrunnerError: As `Run.execute`.
        """
        if self._is_temporary:
            file, self._recorder.path = tempfile.mkstemp(prefix="jsrunner-", suffix=".jsr")
            os.close(file)
        self._control = run.control
        self._log.listeners.append(self._recorder.log)
        try:
            with self._page:
                try:
                    code = run.execute()
                except JsrunnerError as error:
                    self._finish(error.exit_code, str(error) or run.reason)
                    raise
                self._finish(code, run.reason)
                return code
        finally:
            self._log.listeners.remove(self._recorder.log)
            if self._is_temporary:
                with contextlib.suppress(OSError):
                    os.unlink(self._recorder.path)

    def _finish(self, code: ExitCode, reason: str) -> None:
        """Finish the record, and write the report. A report that cannot be written is logged."""
        self._recorder.finish(code, self._log.redacted(reason))
        if not (self._report and self._recorder.is_open):
            return
        from jsrunner.report.document import write_report

        try:
            write_report(self._recorder.path, self._report)
        except JsrunnerError as error:
            self._log.log("error", str(error))
