"""The versions of jsrunner and of the k6 whose behaviour it follows."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.1.0"
K6_VERSION: Final = "2.3.0"
