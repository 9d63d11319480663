"""The errors that end a run or a command, with k6's exit codes.

The tree::

    JsrunnerError          exit 255, all that has no other code ├── UsageError         exit 255, the
    command line is wrong ├── ConfigError        exit 104, options, environment, config file,
    thresholds or scenarios are wrong ├── ScriptError        exit 107, the script threw, or one of its
    modules cannot be loaded └── WorkerError        exit 255, a worker process has died or does not
    answer

Errors of other libraries are translated where they occur; none of them reaches the command line.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """The exit codes of k6 v2."""

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
    """An error that ends the run or the command.

    Args:
        message: The error for the log.
        exit_code: The exit code of the process; None for the code of the class.
        hint: Advice for the user, for the log.
    """

    exit_code: ExitCode = ExitCode.GENERIC

    def __init__(
        self, message: str, *, exit_code: ExitCode | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        if exit_code is not None:
            self.exit_code = exit_code
        self.hint = hint

    @property
    def log_fields(self) -> dict[str, object]:
        """The fields of the log record besides the message, as in k6."""
        if self.hint is None:
            return {}
        if SCRIPT_EXCEPTION in self.hint:
            return {"hint": self.hint, "source": "stacktrace"}
        return {"hint": self.hint}


class UsageError(JsrunnerError):
    """The command line is wrong."""


class ConfigError(JsrunnerError):
    """The options of any layer are wrong, or describe no test."""

    exit_code = ExitCode.INVALID_CONFIG


class ScriptError(JsrunnerError):
    """The script or one of its modules cannot be loaded, or threw outside of an iteration."""

    exit_code = ExitCode.SCRIPT_EXCEPTION


class WorkerError(JsrunnerError):
    """A worker process has ended before the run, or does not answer."""
