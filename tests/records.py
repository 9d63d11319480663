"""Records of runs that still go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.record.lines import RecordError
from jsrunner.record.reader import read

if TYPE_CHECKING:
    from pathlib import Path


def has_steps(path: Path, count: int) -> bool:
    """Return True if the file is a record of this many steps; its first line may not be written yet."""
    try:
        return len(read(str(path)).steps) >= count
    except RecordError:
        return False
