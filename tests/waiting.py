"""Waiting for events of other threads and processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds after which an awaited event has failed to happen. Only a test that fails waits so long: a machine with
#: ten times as many processes as cores needs some seconds for what takes half a second on an idle one.
DEADLINE = 120.0


def until(condition: Callable[[], Any], what: str = "the condition") -> Any:
    """Wait until a condition is true, and return its value."""
    deadline = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)
    return value
