"""The record of a run: `--save` keeps it, `--report` makes a report of it, `--web` shows it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from jsrunner.errors import ExitCode, JsrunnerError, UsageError
from jsrunner.record.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.coordinator.control import RunControl
    from jsrunner.coordinator.run import Run
    from jsrunner.coordinator.view import RunView
    from jsrunner.options.runtime import Runtime
    from jsrunner.script.script import Script
    from jsrunner.ui.log import Logger
    from jsrunner.web.server import WebServer


def web_address(web: str | None, environment: Mapping[str, str]) -> tuple[str, int] | None:
    """Return host and port of the live page, None for a run without one.

    Source: k6's variables K6_WEB_DASHBOARD, K6_WEB_DASHBOARD_HOST and K6_WEB_DASHBOARD_PORT.

    Args:
        web: The value of `--web`.
        environment: The variables.

    Raises:
        UsageError: The address is not HOST:PORT.
    """
    if web is None:
        if environment.get("K6_WEB_DASHBOARD", "").lower() not in ("true", "1", "t"):
            return None
        host = environment.get("K6_WEB_DASHBOARD_HOST") or "127.0.0.1"
        port = environment.get("K6_WEB_DASHBOARD_PORT") or "5665"
        if port == "-1":
            return None
    else:
        host, _, port = web.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(f"invalid address {host}:{port} of the live page, it is HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


class Recording:
    """The recording of one run, which makes the record and the report when the run is over."""

    def __init__(
        self, runtime: Runtime, web: tuple[str, int] | None, script: Script, logger: Logger
    ) -> None:
        """Make the recorder; without `--save` the record is a temporary file."""
        self._report = runtime.report
        self._web_address = web
        self._web: WebServer | None = None
        self._control: RunControl | None = None
        self._logger = logger
        self._is_temporary = not runtime.save
        path = runtime.save or ""
        if self._is_temporary:
            file, path = tempfile.mkstemp(prefix="jsrunner-", suffix=".jsr")
            os.close(file)
        self.recorder = Recorder(path, script_name=script.name, script=script.text)
        logger.listener = self.recorder.log

    @property
    def has_page(self) -> bool:
        """True if the run has a live page; the page can stop and resume the run."""
        return self._web_address is not None

    def observe(self, view: RunView) -> None:
        """Take note of the run, whose test is known."""
        self.recorder.begin(view)
        if self._web_address is None or self._control is None:
            return
        from jsrunner.web.server import WebServer

        host, port = self._web_address
        self._web = WebServer(
            host, port, self._control, self.recorder.path, lambda: self.recorder.is_open
        )
        self._web.start()
        self._logger.log("info", f"The run is shown at {self._web.url}")

    def execute(self, run: Run) -> ExitCode:
        """Run the test; finish the record and make the report, however the run ends.

        Raises:
            JsrunnerError: As `Run.execute`.
        """
        self._control = run.control
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
            if self._web is not None:
                self._web.close()
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
