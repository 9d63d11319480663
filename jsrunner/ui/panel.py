"""Progress on a terminal as lines of rich text: from a state and a size, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from jsrunner.summary import units
from jsrunner.ui.lines import NAME_WIDTH, aligned, headline, short_name, totals
from jsrunner.ui.state import SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.ui.state import Course, ErrorKind, Risk, ScenarioState, State

#: k6's bars are no longer; below the other a bar gets a line of its own.
_BAR: Final = 40
_SHORTEST_BAR: Final = 12
#: Number of scenarios that are shown before the panel below them gets a line.
_FEWEST: Final = 3
_MOST_RISKS: Final = 5
#: Kinds of errors that are shown.
MOST_ERRORS: Final = 3

#: Widths of a figure's label and value, and the space between figures.
_LABEL: Final = 14
_VALUE: Final = 9
_GAP: Final = 2
_INDENT: Final = "  "
#: The signs of sparklines, and the fewest seconds that make one.
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"
_SHORTEST_COURSE: Final = 3

_COLORS: Final = {
    "idle": "dim",
    "waiting": "dim",
    "running": "cyan",
    "stopping": "yellow",
    "interrupted": "red",
    "done": "green",
}
_DIM: Final = "dim"
_BAD: Final = "red"

#: Label, value, and True for a value that indicates a problem.
Figure = tuple[str, str, bool]


def render(state: State, width: int, height: int, errors: Sequence[ErrorKind] = ()) -> list[Text]:
    """Return the lines of a frame. After the end only the bars are left.

    Args:
        state: The state of the run.
        width: Maximum width of a line in cells.
        height: Maximum number of lines.
        errors: The most frequent kinds of errors.
    """
    top = _top(state, width)
    rows = _scenarios(state, width)
    below = _panel(state, width, errors) if state.phase != "ended" else []
    room = height - len(top)
    fewest = sum(map(len, rows[:_FEWEST]))
    below = below[: max(room - fewest, 0)]
    if below and not below[-1]:
        below.pop()
    shown = _window(state.scenarios, rows, room - len(below))
    lines = [*top, *shown, *below][: max(height, 1)]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


# -- the whole -------------------------------------------------------------------------------------


def _top(state: State, width: int) -> list[Text]:
    """Return the lines above the scenarios; the first is blank and separates them from log lines."""
    head = headline(state)
    if not isinstance(head, str):
        name, progress, text = head
        left = _name_width(state, width)
        line = Text(f"{name:<{left}}   ")
        line.append_text(_bar(progress, _bar_width(width - left - 5 - len(text)), "cyan"))
        line.append(f"  {text}")
        return [Text(), line]
    if len(head) <= width:
        return [Text(), Text(head)]
    spent, vus, iterations = totals(state)
    if len(iterations) > width:
        iterations = iterations.removesuffix(" iterations")
    return [Text(), Text(f"{spent}, {vus}"), Text(iterations)]


def _name_width(state: State, width: int) -> int:
    names = [len(scenario.name) for scenario in state.scenarios]
    return min(max([*names, 4]), NAME_WIDTH, max(width * 2 // 5, 8))


# -- scenarios -------------------------------------------------------------------------------------


def _scenarios(state: State, width: int) -> list[list[Text]]:
    """Return the lines of each scenario, which has several if one is too narrow."""
    left = _name_width(state, width)
    right = aligned(state.scenarios)
    space = width - left - 3
    widest = max((len("  ".join(texts)) for texts in right), default=0)
    one_line = space - widest - 2 >= _SHORTEST_BAR
    bar = space - widest - 2 if one_line else space
    rows = []
    for scenario, texts in zip(state.scenarios, right, strict=True):
        color = _COLORS[scenario.status]
        line = Text(f"{short_name(scenario.name, left):<{left}} ")
        line.append(SIGNS[scenario.status], color)
        line.append(" ")
        line.append_text(_bar(scenario.progress, _bar_width(bar), color))
        style = _DIM if scenario.status in ("waiting", "done") else ""
        if one_line:
            rows.append([line.append("".join(f"  {text}" for text in texts), style)])
        else:
            indent = " " * (left + 3)
            rows.append([line, *(Text(indent).append(text, style) for text in _fill(texts, space))])
    return rows


def _fill(texts: list[str], width: int) -> list[str]:
    """As many of the texts on each line as it holds."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + 2 + len(text) <= width:
            lines[-1] += f"  {text}"
        else:
            lines.append(text)
    return lines


def _bar_width(space: int) -> int:
    return max(min(space, _BAR), 0)


def _bar(progress: float, width: int, color: str) -> Text:
    halves = int(progress * width * 2)
    full, half = divmod(halves, 2)
    done = "━" * full + "╾" * half
    return Text().append(done, color).append("─" * (width - full - half), _DIM)


def _window(scenarios: Sequence[ScenarioState], rows: list[list[Text]], room: int) -> list[Text]:
    """Return the scenarios for which there is room, running ones first, and the count of the others."""
    if sum(map(len, rows)) <= room:
        return [line for row in rows for line in row]
    order = ("running", "stopping", "idle", "waiting", "interrupted", "done")
    ranked = sorted(range(len(rows)), key=lambda number: order.index(scenarios[number].status))
    fit = 1
    while sum(len(rows[number]) for number in ranked[: fit + 1]) < room:
        fit += 1
    shown = sorted(ranked[:fit])
    hidden = [scenarios[number].status for number in ranked[fit:]]
    counts = [f"{hidden.count(status)} {status}" for status in order if status in hidden]
    more = Text(f"... {len(hidden)} more: {', '.join(counts)}", _DIM)
    return [*(line for number in shown for line in rows[number]), more]


# -- what was measured -----------------------------------------------------------------------------


def _panel(state: State, width: int, errors: Sequence[ErrorKind]) -> list[Text]:
    """Return figures, thresholds that do not hold, and errors, each below a blank line."""
    parts = (
        _grid(figures(state), width),
        _sparklines(state.courses, width),
        _risks(state.risks, width),
        _errors(errors),
    )
    return [line for lines in parts if lines for line in (Text(), *lines)]


def figures(state: State) -> list[list[Figure]]:
    """Columns of figures that belong together."""
    groups: list[list[Figure]] = []
    sockets, requests = state.sockets, state.requests
    if sockets is not None:
        groups += [
            [
                ("sessions open", f"{sockets.open:,}", False),
                ("connect p95", _time(sockets.connect_p95), False),
                ("connect errors", f"{sockets.failed:,}", sockets.failed > 0),
            ],
            [
                ("messages in", _rate(sockets.received), False),
                ("messages out", _rate(sockets.sent), False),
            ],
        ]
    if requests is not None:
        groups.append(
            [
                ("requests", _rate(requests.rate), False),
                ("request p95", _time(requests.p95), False),
                ("request errors", units.percent(requests.failed), requests.failed > 0),
            ]
        )
    verdict: list[Figure] = []
    failed = state.failed_iterations
    if groups or failed:
        verdict.append(("script errors", f"{failed:,}", failed > 0))
    if state.failed_checks is not None:
        verdict.append(("failed checks", units.percent(state.failed_checks), state.failed_checks > 0))
    if state.thresholds:
        bad = len(state.risks)
        verdict.append(("thresholds", f"{bad} failing" if bad else f"{state.thresholds} ok", bad > 0))
    return [*groups, verdict] if verdict else groups


def _grid(groups: list[list[Figure]], width: int) -> list[Text]:
    """Return the groups of figures side by side, in as many bands as the width requires."""
    cell = _LABEL + 1 + _VALUE
    across = max((width - len(_INDENT) + _GAP) // (cell + _GAP), 1)
    lines = []
    for first in range(0, len(groups), across):
        band = groups[first : first + across]
        for number in range(max(map(len, band))):
            line = Text(_INDENT)
            for group in band:
                label, value, bad = group[number] if number < len(group) else ("", "", False)
                line.append(f"{label:<{_LABEL}} ", _DIM)
                line.append(f"{value:<{_VALUE}}", _BAD if bad else "")
                line.append(" " * _GAP)
            line.rstrip()
            lines.append(line)
    return lines


def _sparklines(courses: Sequence[Course], width: int) -> list[Text]:
    """Return a line per course of three seconds or more: from nothing to the largest value."""
    lines = []
    for course in courses:
        values = course.values[-max(width - len(_INDENT) - _LABEL - 1, 1) :]
        if len(values) < _SHORTEST_COURSE:
            continue
        most = max(values) or 1.0
        signs = "".join(_HEIGHTS[round(value / most * (len(_HEIGHTS) - 1))] for value in values)
        lines.append(Text(_INDENT).append(f"{course.label:<{_LABEL}} ", _DIM).append(signs, "cyan"))
    return lines


def _risks(risks: Sequence[Risk], width: int) -> list[Text]:
    """Return the lines of thresholds that fail now, with their values."""
    shown = risks[:_MOST_RISKS]
    values = [_value(risk) for risk in shown]
    source = max((len(risk.source) for risk in shown), default=0)
    value = max(map(len, values), default=0)
    space = width - len(_INDENT) - 2 - 2 - source - 2 - value
    key = min(max((len(risk.key) for risk in shown), default=0), max(space, 8))
    lines = []
    for risk, text in zip(shown, values, strict=True):
        line = Text(_INDENT).append("✗ ", _BAD)
        line.append(f"{short_name(risk.key, key):<{key}}  ")
        line.append(f"{risk.source:<{source}}  ", _DIM)
        lines.append(line.append(text, _BAD))
    if len(risks) > len(shown):
        lines.append(Text(f"{_INDENT}... {len(risks) - len(shown)} more", _DIM))
    return lines


def _errors(errors: Sequence[ErrorKind]) -> list[Text]:
    """Return the lines of the most frequent kinds of errors: count and message."""
    shown = errors[:MOST_ERRORS]
    counts = [f"{error.count:,} x" for error in shown]
    width = max(map(len, counts), default=0)
    return [
        Text(_INDENT).append(f"{count:>{width}}", _BAD).append(f"  {error.message}")
        for error, count in zip(shown, counts, strict=True)
    ]


def _value(risk: Risk) -> str:
    if risk.type == "rate":
        return units.percent(risk.value)
    return units.value_of(risk.value, risk.contains, "")


def _time(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else units.time(milliseconds)


def _rate(value: float | None) -> str:
    """Per second, in at most nine characters."""
    if value is None:
        return "-"
    if value < 99_999.5:
        return f"{value:,.0f}/s"
    return f"{value / 1000:,.0f}k/s" if value < 9_999_500 else f"{value / 1e6:,.0f}M/s"
