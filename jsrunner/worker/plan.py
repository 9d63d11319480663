"""What the coordinator has decided and tells its workers. Pure data, which travels pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan
    from jsrunner.options.model import Options
    from jsrunner.outputs.base import SampleFormatter


class Share(Struct, frozen=True):
    """One worker's part of the plan."""

    #: Numbers of the VUs that it makes.
    vu_ids: tuple[int, ...]
    #: Per scenario the indices of the plan's VUs that it plays.
    indices: dict[str, tuple[int, ...]]


class Plan(Struct, frozen=True):
    """The whole test."""

    options: Options
    scenarios: dict[str, ExecutorConfig]
    #: What this instance runs of each scenario, in the same order.
    plans: dict[str, ScenarioPlan]
    shares: tuple[Share, ...]
    max_vus: int
    #: What formats samples for the outputs that want each of them.
    formatters: tuple[SampleFormatter, ...] = ()
    #: exec.test.options, as JSON.
    options_json: str = "{}"
    user_agent: str = ""
    #: Bytes that the body of an HTTP response may have, and a frame and a message of a WebSocket.
    max_body_size: int = 256 << 20
    max_frame_size: int = 256 << 20
    max_message_size: int = 256 << 20
    #: What a script finds in its exported `options`.
    shown_options: dict[str, Any] = field(default_factory=dict)
