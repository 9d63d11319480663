"""Comparisons as text for a terminal, and as Markdown for pull requests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.report.compare import Change

_HEADS: Final = ("metric", "statistic", "baseline", "new", "change", "95 % interval", "")
_METHOD: Final = (
    "noise: the 95 % interval of the change (Welch, batch means; runs instead of batches from three a "
    "side on) holds zero"
)


def text_table(changes: Sequence[Change]) -> str:
    """Return the changes in aligned columns."""
    rows = [_HEADS, *map(_row, changes)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(_HEADS))]
    lines = (
        "  ".join(
            cell.ljust(width) if index < 2 or index == 6 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines) + f"\n\n{_METHOD}\n"


def markdown_table(changes: Sequence[Change]) -> str:
    """Return the changes as a table in Markdown."""
    lines = ["| " + " | ".join(_HEADS) + " |", "| --- | --- | --: | --: | --: | --: | --- |"]
    for change in changes:
        metric, statistic, *rest = (cell.replace("|", r"\|").replace("`", "'") for cell in _row(change))
        last = f"**{rest[-1]}**" if rest[-1] == "changed" else rest[-1]
        lines.append("| " + " | ".join((f"`{metric}`", statistic, *rest[:-1], last)) + " |")
    return "\n".join(lines) + f"\n\n{_METHOD}\n"


def _row(change: Change) -> tuple[str, ...]:
    interval = "–"
    if change.interval is not None:
        interval = " … ".join(map(percent, change.interval))
    return (
        # A summary may name its metrics as it likes; terminals obey some characters.
        "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in change.metric),
        change.statistic,
        f"{change.baseline:.4g}",
        f"{change.new:.4g}",
        percent(change.change),
        interval,
        change.verdict,
    )


def percent(part: float) -> str:
    """Return a part of the baseline as text."""
    if math.isinf(part):
        return "from 0"
    return f"{100 * part:+.1f} %"
