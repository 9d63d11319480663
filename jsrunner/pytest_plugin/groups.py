"""Tests with load and pytest-xdist: only one of them runs at a time.

https://pytest-xdist.readthedocs.io/en/stable/distribution.html
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def share_group(item: pytest.Item) -> None:
    """Run a test in the same process as all other tests with load, under `--dist loadgroup`."""
    if item.config.pluginmanager.hasplugin("xdist") and not item.get_closest_marker("xdist_group"):
        item.add_marker(pytest.mark.xdist_group("k6"))


@contextlib.contextmanager
def alone(config: pytest.Config) -> Iterator[None]:
    """Wait until no other process of pytest-xdist runs a test with load.

    Other distribution modes have no groups, and neither has xdist 3.8 with pytest 9.2.
    """
    if not hasattr(config, "workerinput"):
        yield
        return
    folder = os.open(config.rootpath, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
