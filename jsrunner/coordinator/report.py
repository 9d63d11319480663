"""The end-of-test summary: handed to handleSummary, printed, written to files."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from jsrunner.coordinator.stages import stage_failure
from jsrunner.messages.protocol import StageName
from jsrunner.summary import export, machine, text
from jsrunner.summary.model import build
from jsrunner.timestamps import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.coordinator.collector import Collector
    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.settings import RunSettings
    from jsrunner.coordinator.stages import StageRunner
    from jsrunner.messages.plan import Test
    from jsrunner.script.script import ScriptBundle
    from jsrunner.summary.model import SummaryData

#: k6's default, in seconds.
SUMMARY_TIMEOUT: Final = 120.0
_FAILED: Final = "failed to handle the end-of-test summary"


def _without_fractions(value: Any) -> Any:
    """Return JSON in which whole numbers have no fraction, as JavaScript writes them."""
    if isinstance(value, dict):
        return {key: _without_fractions(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_fractions(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Report:
    """Brings out the summary of one run, once."""

    def __init__(
        self, settings: RunSettings, log: RunLog, script: ScriptBundle, test: Test, stages: StageRunner
    ) -> None:
        """Make the report of a run.

        Args:
            settings: Destination and form of the summary.
            log: Gets errors.
            script: The script, whose text is part of the machine-readable summary.
            test: The test.
            stages: The runner of handleSummary.
        """
        timeout = test.options.handle_summary_timeout
        self._settings = settings
        self._log = log
        self._script = script
        self._test = test
        self._stages = stages
        self._timeout = SUMMARY_TIMEOUT if timeout is None else timeout

    def publish(
        self, collector: Collector, duration: float, setup_data: bytes | None
    ) -> dict[str, Any]:
        """Make the summary, print it and write it to files.

        Args:
            collector: The samples.
            duration: Duration of the test in seconds.
            setup_data: The result of setup() as JSON; None for undefined.

        Returns:
            The data for handleSummary.
        """
        options = self._test.options
        data = build(
            collector.store,
            collector.thresholds,
            trend_stats=options.trend_stats(),
            time_unit=options.summary_time_unit or "",
            duration=duration,
            setup_data=setup_data,
        )
        described = self._describe(data)
        results, changed = self._handle_summary(described)
        if results is None:
            results = {} if self._settings.silent else {"stdout": self._text(data)}
        self._write(results)
        if self._settings.summary_export and changed is not None:
            self._export(self._settings.summary_export, changed)
        return described

    def _describe(self, data: SummaryData) -> dict[str, Any]:
        if self._settings.machine_readable:
            return machine.handle_summary_data(
                data,
                compact=self._settings.summary_mode == "compact",
                script=self._script.text,
                generated_at=rfc3339(time.time()),
            )
        return export.handle_summary_data(
            data,
            no_color=self._settings.no_color,
            stdout_tty=sys.stdout.isatty(),
            stderr_tty=sys.stderr.isatty(),
        )

    def _text(self, data: SummaryData) -> str:
        color = sys.stdout.isatty() and not self._settings.no_color
        return f"\n{text.render(data, mode=self._settings.summary_mode, color=color)}\n\n"

    def _export(self, path: str, described: dict[str, Any]) -> None:
        try:
            exported = described if self._settings.machine_readable else export.export(described)
            written = json.dumps(_without_fractions(exported), indent=4)
        except (AttributeError, KeyError, TypeError) as error:
            self._log.log(
                "error",
                f"could not write {path}: handleSummary() has changed the form of its argument "
                f"({type(error).__name__}: {error})",
            )
            return
        self._write({path: written})

    def _handle_summary(
        self, described: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Call the script's handleSummary.

        Returns:
            The files to write (None for the usual summary), and the data as the script has left it
            (None if the script's result is no summary at all).
        """
        exported = self._test.exports.get("handleSummary")
        if exported not in (None, "function"):
            return self._refuse("exported identifier handleSummary must be a function")
        too_late = f"handleSummary() execution timed out after {self._timeout:.0f} seconds"
        if not self._timeout:
            return self._refuse(too_late)
        argument, wanted = json.dumps(described).encode(), exported is not None
        done = self._stages.run(StageName.HANDLE_SUMMARY, argument, self._timeout, wanted=wanted)
        if done is None:
            return None, described
        if done.timed_out:
            if done.error is not None:
                self._log.log("error", done.error)
            return self._refuse(too_late)
        if done.aborted:
            self._log.log("error", done.error or "")
            return None, described
        if done.error is not None:
            failure = stage_failure(done)
            self._log.log("error", str(failure), **failure.log_fields)
        if not done.result:
            return None, described
        results, changed = json.loads(done.result)
        if results is not None and "$error" in results:
            return self._refuse(results["$error"])
        return results, changed

    def _refuse(self, reason: str) -> tuple[dict[str, Any], None]:
        """Log why there is no summary: nothing is written then."""
        self._log.log("error", _FAILED, error=reason)
        return {}, None

    def _write(self, results: Mapping[str, Any]) -> None:
        """Write texts (or base64 in a list) to stdout, stderr and files."""
        failures = (_write_one(name, _bytes(content)) for name, content in results.items())
        wrong = [failure for failure in failures if failure]
        if wrong:
            listed = "".join(f"\n\t- {failure}" for failure in wrong)
            self._log.log("error", _FAILED, error=f"Could not save some summary information:{listed}")


def _bytes(content: str | list[str]) -> bytes:
    if isinstance(content, str):
        return content.encode("utf-8", "replace")
    import base64

    return base64.b64decode(content[0])


def _write_one(name: str, data: bytes) -> str | None:
    """Return k6's text of the error; None if all was written or the reader has closed the pipe."""
    size = 0
    try:
        if name in ("stdout", "stderr"):
            shown = f"/dev/{name}"
            stream = sys.stdout if name == "stdout" else sys.stderr
            stream.flush()
            stream.buffer.write(data)
            stream.flush()
            return None
        shown = name
        try:
            file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
            return f"could not open '{name}': open {name}: {_reason(error)}"
        try:
            while size < len(data):
                size += os.write(file, data[size:])
        finally:
            os.close(file)
    except BrokenPipeError:  # whoever reads has read enough
        pass
    except OSError as error:
        return f"error saving summary to '{name}' after {size} bytes: write {shown}: {_reason(error)}"
    return None


def _reason(error: OSError | ValueError) -> str:
    return ((isinstance(error, OSError) and error.strerror) or os.strerror(errno.EINVAL)).lower()
