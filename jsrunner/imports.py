"""The import of msgspec at the least cost, for processes that live only as long as a run."""

from __future__ import annotations

import sys


def import_msgspec() -> None:
    """Import msgspec without typing_extensions, which takes 6 ms with what it imports.

    msgspec prefers typing_extensions where it is installed. From Python 3.11 on `typing` has the names
    that msgspec takes from it.
    """
    if sys.version_info < (3, 11) or "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = None
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]
