"""Writing to standard output while a run goes on."""

from __future__ import annotations

import contextlib
import os
from typing import TextIO


def write(stream: TextIO, text: str) -> None:
    """As UTF-8, at once. A reader that has gone away is no reason to end a run."""
    data = memoryview(text.encode("utf-8", "replace"))
    with contextlib.suppress(OSError):
        with contextlib.suppress(RuntimeError):  # a signal handler calls, in the midst of this flush
            stream.flush()
        while data:
            data = data[os.write(stream.fileno(), data) :]
