"""Everything that can go wrong with a run, and the exit code that k6 gives it.

The tree::

    JsrunnerError          exit 255, whatever has no code of its own
    ├── UsageError         exit 255, wrong command line
    ├── ConfigError        exit 104, options, environment, config file, thresholds, scenarios
    ├── ScriptError        exit 107, the script threw, or one of its modules could not be loaded
    └── WorkerError        exit 255, a worker process died or does not answer

Errors of other libraries are translated where they occur; none of them reaches the command line.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final


class ExitCode(IntEnum):
    """The exit codes of k6 v2 (k6-surface XC-01 to XC-14)."""

    SUCCESS = 0
    THRESHOLDS_FAILED = 99
    SETUP_TIMEOUT = 100
    TEARDOWN_TIMEOUT = 101
    GENERIC_TIMEOUT = 102
    STOPPED_OVER_REST = 103
    INVALID_CONFIG = 104
    EXTERNAL_ABORT = 105
    CANNOT_START_REST = 106
    SCRIPT_EXCEPTION = 107
    SCRIPT_ABORTED = 108
    INTERNAL_ERROR = 109
    MARKED_AS_FAILED = 110
    GENERIC = 255


#: The hint of an exception that the script has thrown.
SCRIPT_EXCEPTION: Final = "script exception"


class JsrunnerError(Exception):
    """An error that ends the run; `exit_code` is the process's, `hint` a line for the human."""

    exit_code: ExitCode = ExitCode.GENERIC

    def __init__(
        self, message: str, *, exit_code: ExitCode | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        if exit_code is not None:
            self.exit_code = exit_code
        self.hint = hint

    @property
    def log_fields(self) -> dict[str, Any]:
        """What is logged besides the message, as in k6."""
        if self.hint is None:
            return {}
        if SCRIPT_EXCEPTION in self.hint:
            return {"hint": self.hint, "source": "stacktrace"}
        return {"hint": self.hint}


class UsageError(JsrunnerError):
    """The command line does not say what to do."""


class ConfigError(JsrunnerError):
    """The options, from wherever they came, do not describe a test."""

    exit_code = ExitCode.INVALID_CONFIG


class ScriptError(JsrunnerError):
    """The script or one of its modules cannot be loaded, or threw outside of an iteration."""

    exit_code = ExitCode.SCRIPT_EXCEPTION


class WorkerError(JsrunnerError):
    """A worker process ended before its work was done."""
