"""jsrunner runs unmodified k6 load-test scripts from Python."""

from __future__ import annotations

from jsrunner.api import Result, run
from jsrunner.errors import ExitCode, JsrunnerError

__all__ = ["ExitCode", "JsrunnerError", "Result", "__version__", "run"]

__version__ = "0.1.0"

#: The version of k6 whose behaviour is followed.
K6_VERSION = "2.3.0"
