"""jsrunner runs unmodified k6 load-test scripts from Python."""

from __future__ import annotations

from jsrunner.api import Result, run
from jsrunner.errors import ExitCode, JsrunnerError

__all__ = ["ExitCode", "JsrunnerError", "Result", "__version__", "run"]

__version__ = "0.1.0"
