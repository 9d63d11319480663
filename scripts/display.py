"""Make docs/images/display.svg: the screen of `jsrunner run` in the middle of a test.

python scripts/display.py
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from jsrunner import __version__
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.options.duration import format_fixed
from jsrunner.options.kinds import Stage
from jsrunner.options.segment import Striping
from jsrunner.ui.description import banner, description
from jsrunner.ui.panel import render
from jsrunner.ui.scenarios import Reached, describe, progress_columns
from jsrunner.ui.state import Risk, ScenarioState, Sockets, State

if TYPE_CHECKING:
    from jsrunner.executors.config import ExecutorConfig

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "display.svg"
WIDTH = 112
THEME = TerminalTheme(
    (22, 27, 34),
    (201, 209, 217),
    [(72, 79, 88), (255, 123, 114), (86, 211, 100), (227, 179, 65),
     (121, 192, 255), (210, 168, 255), (86, 212, 221), (201, 209, 217)],
)  # fmt: skip

STRIPING = Striping(None, None)
SCENARIOS: dict[str, ExecutorConfig] = {
    "chat": RampingVUs(
        name="chat",
        stages=(Stage(20.0, 200), Stage(40.0, 200)),
    ),
    "presence": ConstantVUs(name="presence", exec="presence", vus=50, duration=60.0),
    "moderator": ConstantVUs(
        name="moderator", exec="moderate", vus=2, duration=20.0, start_time=40.0, graceful_stop=5.0
    ),
}
LOG = (
    "\x1b[36mINFO\x1b[0m[0021] 200 members are in the room                  "
    "\x1b[36msource\x1b[0m=console\n"
)


def scenario(name: str, elapsed: float, active: int, completed: int) -> ScenarioState:
    config, reached = SCENARIOS[name], Reached(elapsed, active, 0, completed)
    plan = config.plan(STRIPING)
    progress = plan.progress(elapsed, completed)
    return ScenarioState(name, "running", progress, progress_columns(config, plan, reached))


STATE = State(
    phase="running",
    elapsed=25.6,
    limit=90.0,
    active=250,
    initialized=252,
    wanted=252,
    complete=1498,
    interrupted=0,
    scenarios=(
        scenario("chat", 24.8, 200, 1310),
        scenario("presence", 24.8, 50, 188),
        ScenarioState("moderator", "waiting", 0.0, ("waiting", format_fixed(15.2, 40.0))),
    ),
    sockets=Sockets(open=250, received=48_214.0, sent=2_406.0, connect_p95=12.81, failed=3),
    failed_iterations=0,
    failed_checks=0.0041,
    thresholds=6,
    risks=(
        Risk("chat_delay{room:lobby}", "p(95)<250", 281.94, "trend", "time"),
        Risk("ws_connecting", "p(95)<10", 12.81, "trend", "time"),
    ),
)


def main() -> None:
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="standard"
    )
    before = banner(__version__, color=True) + description(
        script="chat.js",
        outputs=["json (samples.json.gz)"],
        scenarios={name: describe(one, one.plan(STRIPING)) for name, one in SCENARIOS.items()},
        longest=max(one.plan(STRIPING).latest_end for one in SCENARIOS.values()),
        striping=STRIPING,
        max_vus=252,
        color=True,
    )
    console.print(Text.from_ansi(before + LOG), end="")
    for line in render(STATE, WIDTH - 1, 40):
        console.print(line)
    console.print()
    picture = console.export_svg(title="jsrunner run chat.js", theme=THEME, unique_id="jsrunner")
    PICTURE.write_text(picture)


if __name__ == "__main__":
    main()
