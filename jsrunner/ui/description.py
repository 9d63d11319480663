"""The texts that `jsrunner run` shows before a run begins: the banner and the description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.options.duration import format_duration
from jsrunner.ui.scenarios import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.coordinator.view import RunView
    from jsrunner.options.segment import Striping

_LOGO: Final = (
    " ╻┏━┓┏━┓╻ ╻┏┓╻┏┓╻┏━╸┏━┓",
    " ┃┗━┓┣┳┛┃ ┃┃┗┫┃┗┫┣╸ ┣┳┛",
    "┗┛┗━┛╹┗╸┗━┛╹ ╹╹ ╹┗━╸╹┗╸",
)
_CYAN: Final = "36"


def banner(version: str, *, color: bool) -> str:
    """Return a blank line, the logo with the version, a blank line."""
    logo = "\n".join("     " + _paint(line, _CYAN, color) for line in _LOGO)
    return f"\n{logo}  {version}\n\n"


def describe_run(view: RunView, *, color: bool) -> str:
    """Return the block of text about a run; `color` is whether to paint values."""
    test = view.test
    plans = {name: plan for name, plan in test.plans.items() if plan.max_vus}
    return description(
        place=view.place,
        script=view.script_name,
        outputs=view.outputs,
        scenarios={name: describe(test.scenarios[name], plan) for name, plan in plans.items()},
        longest=max((plan.latest_end for plan in plans.values()), default=0.0),
        striping=test.striping,
        max_vus=test.max_vus,
        color=color,
    )


def description(
    *,
    place: str,
    script: str,
    outputs: Sequence[str],
    scenarios: Mapping[str, str],
    longest: float,
    striping: Striping,
    max_vus: int,
    color: bool,
) -> str:
    """Return the block of text that describes a run.

    Args:
        place: The place of the worker processes.
        script: The script's name.
        outputs: The outputs' descriptions.
        scenarios: The scenarios' descriptions by name.
        longest: Maximum duration of all scenarios together, in seconds.
        striping: The part of the test that this instance runs.
        max_vus: Maximum number of VUs at one time.
        color: True to paint values.
    """
    rows = (("execution", place), ("script", script), ("output", ", ".join(outputs) or "-"))
    lines = [f"{label:>14}: {_paint(value, _CYAN, color)}" for label, value in rows]
    share = _paint(f"({float(striping.segment.length):.2%})", _CYAN, color)
    count = len(scenarios)
    lines += [
        "",
        f"{'scenarios':>14}: {share} {count} scenario{'s' if count != 1 else ''}, {max_vus} max VUs, "
        f"{format_duration(longest)} max duration (incl. graceful stop):",
    ]
    lines += [f"{'*':>15} {name}: {text}" for name, text in scenarios.items()]
    return "\n".join(lines) + "\n\n"


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
