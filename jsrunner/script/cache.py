"""What is worth keeping from one run to the next: downloaded modules, translated TypeScript.

A folder of files in the user's cache. Nothing depends on it: where it cannot be written, things
are fetched or made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path


def folder() -> Path:
    """Where the cache is: JSRUNNER_CACHE_DIR, or what the system has for such things."""
    named = os.environ.get("JSRUNNER_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "jsrunner"


def load(kind: str, key: str) -> bytes | None:
    """What was stored under this key."""
    try:
        return _path(kind, key).read_bytes()
    except (OSError, RuntimeError):
        return None


def store(kind: str, key: str, data: bytes) -> None:
    """Keep `data`. Readers see all of it or nothing."""
    with contextlib.suppress(OSError, RuntimeError):
        path = _path(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        os.replace(file.name, path)


def _path(kind: str, key: str) -> Path:
    # RuntimeError: there is no home.
    return folder() / kind / hashlib.sha256(key.encode()).hexdigest()
