"""Scripts for VUs of the core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gevent

if TYPE_CHECKING:
    from collections.abc import Callable

HARNESS = (Path(__file__).parent / "core_harness.js").read_text()


def blocking() -> None:
    gevent.sleep(1e6)


blocking.is_blocking = True  # type: ignore[attr-defined]

OPERATIONS: dict[str, Callable[..., object]] = {"quick": lambda: "quick", "blocking": blocking}
