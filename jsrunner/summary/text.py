"""The end-of-test summary as text, in the shape of k6's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jsrunner.summary import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jsrunner.summary.model import Check, Group, MetricSummary, SummaryData

_BLOCKS: Final = (
    "CUSTOM", "HTTP", "EXECUTION", "NETWORK", "BROWSER", "WEB_VITALS", "GRPC", "WEBSOCKET",
)  # fmt: skip
_PREFIXES: Final = (
    ("browser_web_vital_", "WEB_VITALS"),
    ("browser_", "BROWSER"),
    ("ws_", "WEBSOCKET"),
    ("grpc_", "GRPC"),
    ("http_req", "HTTP"),
    ("vus", "EXECUTION"),
    ("iteration", "EXECUTION"),
    ("dropped_iterations", "EXECUTION"),
    ("data_sent", "NETWORK"),
    ("data_received", "NETWORK"),
)
#: Shown as checks and groups, not as metric lines.
_HIDDEN: Final = ("checks", "group_duration")
_HIDDEN_IN_COMPACT: Final = tuple(
    f"http_req_{part}"
    for part in ("blocked", "connecting", "receiving", "sending", "tls_handshaking", "waiting")
)

_BOLD, _GREEN, _RED, _CYAN = "1", "32", "31", "36"
_FAINT, _FAINT_CYAN, _FAINT_WHITE = "2", "2;36", "2;37"


@dataclass(frozen=True, slots=True)
class _Row:
    """A metric line before it is aligned: trends have columns, the others a value and extras."""

    head: str
    value: str
    extras: tuple[str, ...]
    columns: tuple[tuple[str, str], ...] = ()


class _Printer:
    def __init__(self, data: SummaryData, *, full: bool, color: bool) -> None:
        self._data = data
        self._full = full
        self._color = color
        self._lines: list[str] = []

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text

    # -- the whole ---------------------------------------------------------------------------------

    def text(self) -> str:
        data = self._data
        if any(one.thresholds for one in data.metrics):
            self._title("THRESHOLDS", 0)
            self._thresholds()
            self._blank(2)
        self._title("TOTAL RESULTS", 0)
        self._section(_merged(data.root), data.metrics, 0)
        if self._full:
            self._scenarios()
        inexact = [one.name for one in data.metrics if not one.exact]
        if inexact:
            self._blank(1)
            self._lines.append(
                "  The percentiles of " + ", ".join(inexact) + " come from buckets that are 0.1 % "
                "wide: there were too many values to keep."
            )
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return "\n".join(self._lines)

    def _scenarios(self) -> None:
        default = self._data.scenarios.get("default")
        if default is not None:
            for group in default.groups.values():
                self._blank(2)
                self._title(f"GROUP: {group.name}", 0)
                self._group(group, 0)
        for name in sorted(self._data.scenarios):
            if name == "default":
                continue
            top = self._data.scenarios[name]
            self._blank(2)
            self._title(f"SCENARIO: {name}", 0)
            self._section(_merged(top), top.metrics, 0)
            for group in top.groups.values():
                self._blank(1)
                self._title(f"GROUP: {group.name}", 1)
                self._group(group, 1)

    def _group(self, group: Group, depth: int) -> None:
        self._section(list(group.checks.values()), group.metrics, depth)
        for child in group.groups.values():
            self._blank(1)
            self._title(f"GROUP: {child.name}", depth + 1)
            self._group(child, depth + 1)

    def _title(self, title: str, depth: int) -> None:
        sign = "↳" if depth else "█"
        indent = "  " * (depth + 1)
        self._lines += [f"{indent}{self.paint(f'{sign} {title}', _BOLD)} ", ""]

    def _blank(self, count: int) -> None:
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        self._lines += [""] * count

    # -- thresholds --------------------------------------------------------------------------------

    def _thresholds(self) -> None:
        judged = [one for one in self._data.metrics if one.thresholds]
        names = {one.name for one in judged}
        for one in sorted(judged, key=lambda one: (one.parent or one.name, one.name)):
            indent, head = "    ", one.name
            if one.parent in names:
                indent, head = "      ", one.name[len(one.parent or "") :]
            self._lines.append(indent + head)
            for result in one.thresholds:
                mark = self.paint("✓", _GREEN) if result.ok else self.paint("✗", _RED)
                value = "" if result.value is None else self._figure(one, result.value)
                source = self.paint(f"'{result.source.strip()}'", "37")
                shown = self.paint(value, _CYAN) if value else ""
                self._lines.append(f"{indent}{mark} {source} {result.aggregation}={shown}")
            self._lines.append("")

    def _figure(self, one: MetricSummary, value: float) -> str:
        if one.metric.type == "rate":
            return units.percent(value)
        return units.value_of(value, one.metric.contains, self._data.time_unit)

    # -- sections ----------------------------------------------------------------------------------

    def _section(self, checks: Sequence[Check], metrics: Iterable[MetricSummary], depth: int) -> None:
        indent = "  " * depth
        if checks:
            self._checks(checks, indent)
            self._lines.append("")
        blocks: dict[str, list[MetricSummary]] = {}
        for one in metrics:
            name = one.metric.name
            if name.startswith(_HIDDEN) or (not self._full and name.startswith(_HIDDEN_IN_COMPACT)):
                continue
            blocks.setdefault(_block(name), []).append(one)
        rows = {
            block: [
                self._row(one)
                for one in sorted(blocks[block], key=lambda one: (one.parent or one.name, one.name))
            ]
            for block in _BLOCKS
            if block in blocks
        }
        layout = _Layout([row for block in rows.values() for row in block])
        for block, block_rows in rows.items():
            self._lines.append(f"    {indent}{self.paint(block, _BOLD)}")
            self._lines += [self._aligned(row, layout, indent) for row in block_rows]
            self._lines.append("")

    def _row(self, one: MetricSummary) -> _Row:
        values, contains, unit = one.values, one.metric.contains, self._data.time_unit
        head = f"  {one.label}" if one.parent else one.name
        if one.metric.type == "trend":
            columns = tuple(
                (
                    stat,
                    units.plain(value) if stat == "count" else units.value_of(value, contains, unit),
                )
                for stat, value in values.items()
            )
            return _Row(head, "", (), columns)
        if one.metric.type == "rate":
            total = values["passes"] + values["fails"]
            outof = f"{units.plain(values['passes'])} out of {units.plain(total)}"
            return _Row(head, units.percent(values["rate"]), (outof,))
        if one.metric.type == "counter":
            count = units.value_of(values["count"], contains, unit)
            rate = units.value_of(values["rate"], contains, unit)
            return _Row(head, count, (f"{rate}/s",))
        value, least, most = (
            units.value_of(values[name], contains, unit) for name in ("value", "min", "max")
        )
        return _Row(head, value, (f"min={least}", f"max={most}"))

    def _aligned(self, row: _Row, layout: _Layout, indent: str) -> str:
        dots = self.paint("." * (layout.head - len(row.head) + 3) + ":", _FAINT_WHITE)
        line = f"    {indent}{row.head}{dots}"
        if row.columns:
            for number, (stat, value) in enumerate(row.columns):
                padding = " " * (layout.columns[number] - len(value))
                line += f" {stat}={self.paint(value, _CYAN)}{padding}"
            return line
        line += f" {self.paint(row.value, _CYAN)}{' ' * (layout.value - len(row.value))}"
        if len(row.extras) == 1:
            return f"{line} {self.paint(row.extras[0], _FAINT_CYAN)}"
        for number, extra in enumerate(row.extras):
            padding = " " * (layout.extras[number] - len(extra))
            line += f" {self.paint(extra, _FAINT_CYAN)}{padding}"
        return line

    def _checks(self, checks: Sequence[Check], indent: str) -> None:
        passes = sum(one.passes for one in checks)
        fails = sum(one.fails for one in checks)
        total = passes + fails
        duration = self._data.duration
        rate = units.plain(total / duration if duration > 0 else 0.0)
        share = passes / total if total else 0.0
        rows = [
            _Row("checks_total", units.plain(total), (f"{rate}/s",)),
            _Row("checks_succeeded", units.percent(share), (f"{passes} out of {total}",)),
            _Row("checks_failed", units.percent(fails / total if total else 0.0),
                 (f"{fails} out of {total}",)),
        ]  # fmt: skip
        layout = _Layout(rows)
        self._lines += [self._aligned(row, layout, indent) for row in rows]
        self._lines.append("")
        for one in checks:
            if not one.fails:
                self._lines.append(f"    {indent}{self.paint('✓', _GREEN)} {one.name}")
                continue
            share = int(100 * one.passes / (one.passes + one.fails))
            self._lines.append(f"    {indent}{self.paint('✗ ' + one.name, _RED)}")
            detail = f"↳  {share}% — ✓ {one.passes} / ✗ {one.fails}"
            self._lines.append(f"      {indent}{indent}{self.paint(detail, _RED)}")


class _Layout:
    """Column widths of one section."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self.head = max((len(row.head) for row in rows), default=0)
        self.value = max((len(row.value) for row in rows if not row.columns), default=0)
        self.extras = [
            max(len(row.extras[number]) for row in rows if len(row.extras) > number)
            for number in range(max((len(row.extras) for row in rows), default=0))
        ]
        self.columns = [
            max(len(row.columns[number][1]) for row in rows if len(row.columns) > number)
            for number in range(max((len(row.columns) for row in rows), default=0))
        ]


def _block(name: str) -> str:
    return next((block for prefix, block in _PREFIXES if name.startswith(prefix)), "CUSTOM")


def _merged(top: Group) -> list[Check]:
    """All checks of a group tree, those of equal name as one."""
    from jsrunner.summary.model import Check

    found: dict[str, Check] = {}
    for group in top.walk():
        for one in group.checks.values():
            same = found.setdefault(one.name, Check(one.name, one.path, 0, 0))
            same.passes += one.passes
            same.fails += one.fails
    return list(found.values())


def render(data: SummaryData, *, mode: str, color: bool) -> str:
    """`mode` is compact or full."""
    return _Printer(data, full=mode == "full", color=color).text()
