"""Progress as lines of text: a pure function of a `State`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.options.duration import format_fixed
from jsrunner.ui.scenarios import padded
from jsrunner.ui.state import SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.ui.state import ScenarioState, State

#: Maximum width of a scenario's name.
NAME_WIDTH: Final = 30


def block(state: State) -> str:
    """Return a blank line, the total, and a line for each scenario."""
    head = headline(state)
    names = [short_name(scenario.name, NAME_WIDTH) for scenario in state.scenarios]
    if isinstance(head, str):
        lines = ["", head]
    else:
        name, progress, text = head
        names.append(name)
        width = max(map(len, names))
        lines = ["", f"{name:<{width}}   {percentage(progress)} {text}"]
    width = max(map(len, names), default=0)
    for scenario, name, right in zip(state.scenarios, names, aligned(state.scenarios), strict=False):
        left = f"{name:<{width}} {SIGNS[scenario.status]} {percentage(scenario.progress)}"
        lines.append(f"{left} {'  '.join(right)}".rstrip())
    return "\n".join(lines) + "\n"


def headline(state: State) -> str | tuple[str, float, str]:
    """Return the line above the scenarios.

    Returns:
        The totals; before the scenarios begin (the activity, its progress from 0 to 1, a text).
    """
    if state.phase == "init":
        done = state.initialized / state.wanted if state.wanted else 1.0
        return "Init", done, f"{state.initialized}/{state.wanted} VUs initialized"
    if state.phase == "paused":
        return "Run", 1.0, "paused"
    if state.phase == "setup":
        return "Run", 1.0, "setup()"
    return ", ".join(totals(state))


def totals(state: State) -> tuple[str, str, str]:
    """Return the texts of a run's time, VUs and iterations."""
    return (
        f"running ({format_fixed(state.elapsed, state.limit)})",
        f"{padded(state.active, state.initialized)}/{state.initialized} VUs",
        f"{state.complete} complete and {state.interrupted} interrupted iterations",
    )


def percentage(progress: float) -> str:
    """Format a part, from 0 to 1, as `[  42% ]`."""
    return f"[ {progress * 100:3.0f}% ]"


def aligned(scenarios: Sequence[ScenarioState]) -> list[list[str]]:
    """Return the columns right of each bar, padded to the widest of all scenarios."""
    widths = [
        max(len(scenario.columns[number]) for scenario in scenarios if len(scenario.columns) > number)
        for number in range(max((len(scenario.columns) for scenario in scenarios), default=0))
    ]
    return [
        [f"{text:<{width}}" for text, width in zip(scenario.columns, widths, strict=False)]
        for scenario in scenarios
    ]


def short_name(name: str, width: int) -> str:
    """Return a name, cut to a width."""
    return name if len(name) <= width else name[: max(width - 3, 0)] + "..."
