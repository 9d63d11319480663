"""Writing to standard output while a run goes on."""

from __future__ import annotations

import contextlib
import os
from typing import TextIO


def write(stream: TextIO, text: str) -> None:
    """Write a text as UTF-8, at once. A reader that has gone away does not end a run."""
    data = memoryview(text.encode("utf-8", "replace"))
    with contextlib.suppress(OSError):
        with contextlib.suppress(RuntimeError):  # a signal handler calls, in the midst of this flush
            stream.flush()
        while data:
            data = data[os.write(stream.fileno(), data) :]
