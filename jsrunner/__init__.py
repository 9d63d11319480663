"""jsrunner runs unmodified k6 load-test scripts from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsrunner.api.execution import Execution, Snapshots
    from jsrunner.api.functions import run, run_async, start
    from jsrunner.api.records import Check, LogRecord, Progress, Snapshot, Threshold
    from jsrunner.api.result import Result
    from jsrunner.api.samples import Samples
    from jsrunner.api.script import Script
    from jsrunner.errors import (
        ConfigError,
        ExitCode,
        JsrunnerError,
        ScriptError,
        UsageError,
        WorkerError,
    )
    from jsrunner.version import __version__

__all__ = [
    "Check", "ConfigError", "Execution", "ExitCode", "JsrunnerError", "LogRecord", "Progress",
    "Result", "Samples", "Script", "ScriptError", "Snapshot", "Snapshots", "Threshold", "UsageError",
    "WorkerError", "__version__", "run", "run_async", "start",
]  # fmt: skip

_MODULES = {
    "api.execution": ("Execution", "Snapshots"),
    "api.functions": ("run", "run_async", "start"),
    "api.records": ("Check", "LogRecord", "Progress", "Snapshot", "Threshold"),
    "api.result": ("Result",),
    "api.samples": ("Samples",),
    "api.script": ("Script",),
    "errors": (
        "ConfigError", "ExitCode", "JsrunnerError", "ScriptError", "UsageError", "WorkerError",
    ),
    "version": ("__version__",),
}  # fmt: skip
_HOMES = {name: f"jsrunner.{module}" for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: commands, and workers, need none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'jsrunner' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
