"""The cache on disk: downloaded modules and translated TypeScript of earlier runs.

The cache is a folder of files in the user's cache folder. If it cannot be written, modules are fetched
and translated again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path


def folder() -> Path:
    """Return the folder of the cache: JSRUNNER_CACHE_DIR, or one in the system's folder of caches."""
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
    """Return the data that was stored under a key.

    Args:
        kind: The kind of data: a folder of the cache.
        key: The key.

    Returns:
        The data; None if there is none.
    """
    try:
        return _path(kind, key).read_bytes()
    except (OSError, RuntimeError):
        return None


def store(kind: str, key: str, data: bytes) -> None:
    """Store data under a key. Other processes read all of the data or nothing.

    Args:
        kind: The kind of data: a folder of the cache.
        key: The key.
        data: The data.
    """
    with contextlib.suppress(OSError, RuntimeError):
        path = _path(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        os.replace(file.name, path)


def _path(kind: str, key: str) -> Path:
    # `Path.home` raises RuntimeError if the user has no home folder.
    return folder() / kind / hashlib.sha256(key.encode()).hexdigest()
