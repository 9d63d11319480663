"""The state of a run: its phase, its clocks, the data of setup()."""

from __future__ import annotations

import time
from enum import Enum
from typing import Any

from msgspec import Struct, field


class Phase(str, Enum):
    """A part of a run's life. A run goes through them in this order; some may be left out."""

    #: Workers start, the script is loaded, VUs are made.
    INIT = "init"
    #: The VUs are ready; the option `paused` keeps the test from beginning.
    PAUSED = "paused"
    SETUP = "setup"
    #: The scenarios are played.
    RUNNING = "running"
    TEARDOWN = "teardown"
    #: The test is over; the summary and the outputs are finished.
    ENDED = "ended"


class RunState(Struct):
    """The state of one run. Only `phases`, `stages`, `inbox` and `control` change it; views read it."""

    phase: Phase = Phase.INIT
    #: True if the test must wait before it begins.
    is_paused: bool = False
    #: True if the script has called exec.test.fail.
    is_marked_failed: bool = False
    #: Number of VUs that are made before the test; arrival rates may add VUs.
    planned_vus: int = 0
    #: When setup began, by time.monotonic: the summary's rates count from here.
    started: float = field(default_factory=time.monotonic)
    #: When the scenarios began, by time.monotonic; None before that.
    scenarios_started: float | None = None
    #: The result of setup() as JSON; None for undefined.
    setup_data: bytes | None = None
    #: The data for handleSummary, and the reason why the run has not passed. Set when the run is over.
    summary: dict[str, Any] | None = None
    reason: str = ""
