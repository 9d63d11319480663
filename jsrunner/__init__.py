"""jsrunner runs unmodified k6 load-test scripts from Python."""

from __future__ import annotations

__version__ = "0.1.0"
