"""The test, and each worker's share of it. Pure data: it travels pickled in the message `Prepare`.

The coordinator makes the `Test` once, from all layers of options, and computes each scenario's plan
once (`coordinator.decide`). Whoever needs to know what runs, in whichever process, has this `Test`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan
    from jsrunner.options.model import Options
    from jsrunner.options.segment import Striping
    from jsrunner.outputs.base import SampleFormatter


class Test(Struct, frozen=True):
    """A test: the options of all layers together, the scenarios, the script's exports."""

    options: Options
    scenarios: dict[str, ExecutorConfig]
    #: What this instance runs of each scenario, in the same order.
    plans: dict[str, ScenarioPlan]
    #: The part of the test that this instance runs.
    striping: Striping
    #: Type of each export of the script.
    exports: dict[str, str]
    #: VUs that the test can need at once, with those that arrival rates may have made.
    max_vus: int


class Limits(Struct, frozen=True):
    """Maximum sizes, in bytes, of what servers send."""

    #: The body of an HTTP response.
    body: int = 256 << 20
    #: A frame and a message of a WebSocket.
    frame: int = 256 << 20
    message: int = 256 << 20


class Share(Struct, frozen=True):
    """One worker's part of the test."""

    #: Numbers of the VUs that it makes.
    vu_ids: tuple[int, ...]
    #: Per scenario the indices of the plan's VUs that it plays.
    indices: dict[str, tuple[int, ...]]


class Plan(Struct, frozen=True):
    """A test with all that workers need to play it. All workers get the same plan."""

    test: Test
    #: Of each worker.
    shares: tuple[Share, ...]
    #: What formats samples for the outputs that want each of them.
    formatters: tuple[SampleFormatter, ...] = ()
    #: `exec.test.options`, as JSON.
    options_json: str = "{}"
    #: What a script sees in its own export `options`.
    shown_options: dict[str, Any] = field(default_factory=dict)
    user_agent: str = ""
    limits: Limits = field(default_factory=Limits)
