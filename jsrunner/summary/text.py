"""The end-of-test summary as text, in the shape of k6's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.summary import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jsrunner.summary.model import Check, MetricSummary, Section, SummaryData

_BLOCKS: Final = (
    "CUSTOM", "HTTP", "EXECUTION", "NETWORK", "BROWSER", "WEB_VITALS", "GRPC", "WEBSOCKET",
)  # fmt: skip
#: k6 looks at the beginnings of names, so custom metrics too land in these blocks.
_PREFIXES: Final = (
    ("HTTP", ("http_reqs", "http_req_failed", "http_req_duration", "http_req_blocked",
              "http_req_connecting", "http_req_tls_handshaking", "http_req_sending",
              "http_req_waiting", "http_req_receiving")),
    ("EXECUTION", ("vus", "iterations", "iteration_duration", "dropped_iterations")),
    ("NETWORK", ("data_sent", "data_received")),
    ("WEB_VITALS", ("browser_web_vital_",)),
    ("BROWSER", ("browser_",)),
    ("GRPC", ("grpc_",)),
    ("WEBSOCKET", ("ws_",)),
)  # fmt: skip
#: Shown as checks and groups, not as metric lines.
_HIDDEN: Final = ("checks", "group_duration")
_HIDDEN_IN_COMPACT: Final = tuple(
    f"http_req_{part}"
    for part in ("blocked", "connecting", "receiving", "sending", "tls_handshaking", "waiting")
)

_BOLD, _GREEN, _RED, _WHITE, _CYAN = "1", "32", "31", "37", "36"
_FAINT_CYAN, _FAINT_WHITE = "2;36", "2;37"

#: The order of characters in the root collation of Unicode, by which k6 sorts; other ones come last.
_ORDER: Final = {
    character: position
    for position, character in enumerate(
        "\t _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
    )
}


def _collated(text: str) -> tuple[list[int], str]:
    """A key to sort by: `_` before digits before letters, small letters before equal capital ones."""
    weights = [_ORDER.get(character, 0x100 + ord(character)) for character in text.lower()]
    return weights, text.swapcase()


def _sorted(metrics: Iterable[MetricSummary]) -> list[MetricSummary]:
    """By name, sub-metrics after their metric."""
    return sorted(
        metrics,
        key=lambda one: (_collated(one.parent or one.name), bool(one.parent), _collated(one.label)),
    )


def is_hidden(metric: str, *, full: bool) -> bool:
    """Whether a metric is no line of the summary (k6 goes by how its name begins)."""
    return metric.startswith(_HIDDEN) or (not full and metric.startswith(_HIDDEN_IN_COMPACT))


class _Row(Struct, frozen=True):
    """A metric line before it is aligned: trends have columns, the others a value and extras."""

    head: str
    value: str = ""
    extras: tuple[str, ...] = ()
    #: Texts by stat.
    columns: Mapping[str, str] | None = None


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
        if any(one.thresholds for one in data.total.metrics):
            self._title("THRESHOLDS", 0)
            self._thresholds()
            self._blank(2)
        self._title("TOTAL RESULTS", 0)
        self._results(data.total, 0)
        if self._full:
            self._parts()
        inexact = [one.name for one in data.total.metrics if not one.exact]
        if inexact:
            self._blank(1)
            self._lines.append(
                "  The percentiles of " + ", ".join(inexact) + " come from buckets that are 0.1 % "
                "wide: there were too many values to keep."
            )
        self._blank(0)
        return "\n".join(self._lines)

    def _parts(self) -> None:
        """Groups of the scenario `default`, and the other scenarios."""
        for name, group in self._data.total.groups.items():
            self._blank(2)
            self._title(f"GROUP: {name}", 0)
            self._with_groups(group, 0)
        for name in sorted(self._data.scenarios, key=_collated):
            self._blank(2)
            self._title(f"SCENARIO: {name}", 0)
            self._with_groups(self._data.scenarios[name], 0)

    def _with_groups(self, section: Section, depth: int) -> None:
        self._results(section, depth)
        for name, group in section.groups.items():
            self._blank(1)
            self._title(f"GROUP: {name}", depth + 1)
            self._with_groups(group, depth + 1)

    def _title(self, title: str, depth: int) -> None:
        sign = "↳" if depth else "█"
        indent = "  " * (depth + 1)
        self._lines += [f"{indent}{sign} {self.paint(title, _BOLD)} ", ""]

    def _blank(self, count: int) -> None:
        """So many blank lines at the end."""
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        self._lines += [""] * count

    # -- thresholds --------------------------------------------------------------------------------

    def _thresholds(self) -> None:
        judged = [one for one in self._data.total.metrics if one.thresholds]
        names = {one.name for one in judged}
        for one in _sorted(judged):
            indent, head = "    ", one.name
            if one.parent in names:
                indent, head = "      ", one.name[len(one.parent or "") :]
            self._lines.append(indent + head)
            for result in one.thresholds:
                mark = self.paint("✓", _GREEN) if result.ok else self.paint("✗", _RED)
                source = self.paint(f"'{result.source.strip()}'", _WHITE)
                aggregation = self.paint(result.aggregation, _WHITE)
                value = ""
                if result.value is not None:
                    value = self.paint(self._figure(one, result.aggregation, result.value), _CYAN)
                self._lines.append(f"{indent}{mark} {source} {aggregation}={value}")
            self._lines.append("")

    def _figure(self, one: MetricSummary, aggregation: str, value: float) -> str:
        if one.metric.type == "rate":
            return units.percent(value)
        text = units.value_of(value, one.metric.contains, self._data.time_unit)
        return f"{text}/s" if aggregation == "rate" else text

    # -- sections ----------------------------------------------------------------------------------

    def _results(self, section: Section, depth: int) -> None:
        indent = "  " * depth
        self._checks(section, indent)
        blocks: dict[str, list[MetricSummary]] = {}
        for one in section.metrics:
            name = one.metric.name
            if is_hidden(name, full=self._full):
                continue
            blocks.setdefault(_block(name), []).append(one)
        rows = {
            block: [self._row(one) for one in _sorted(blocks[block])]
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

        def shown(key: str) -> str:
            return units.value_of(values[key], contains, unit)

        if one.metric.type == "trend":
            columns = {
                stat: units.number(value) if stat == "count" else shown(stat)
                for stat, value in values.items()
            }
            return _Row(head, columns=columns)
        if one.metric.type == "rate":
            passes, fails = values["passes"], values["fails"]
            outof = f"{units.number(passes)} out of {units.number(passes + fails)}"
            return _Row(head, units.percent(values["rate"]), (outof,))
        if one.metric.type == "counter":
            return _Row(head, shown("count"), (f"{shown('rate')}/s",))
        return _Row(head, shown("value"), (f"min={shown('min')}", f"max={shown('max')}"))

    def _aligned(self, row: _Row, layout: _Layout, indent: str) -> str:
        dots = self.paint("." * (layout.head - len(row.head) + 3) + ":", _FAINT_WHITE)
        line = f"    {indent}{row.head}{dots} "
        if row.columns is not None:
            return line + " ".join(
                f"{stat}={self.paint(text, _CYAN)}{' ' * (layout.columns[stat] - len(text))}"
                for stat, text in row.columns.items()
            )
        line += f"{self.paint(row.value, _CYAN)}{' ' * (layout.value - len(row.value))}"
        if len(row.extras) == 1:
            return f"{line} {self.paint(row.extras[0], _FAINT_CYAN)}"
        for extra, width in zip(row.extras, layout.extras, strict=True):
            line += f" {self.paint(extra, _FAINT_CYAN)}{' ' * (width - len(extra))}"
        return line

    def _checks(self, section: Section, indent: str) -> None:
        """Totals, and a line for each check."""
        found = next((one for one in section.metrics if one.name == "checks"), None)
        if found is None:
            return
        passes, fails = int(found.values["passes"]), int(found.values["fails"])
        total = passes + fails
        duration = self._data.duration
        rows = [
            _Row("checks_total", units.plain(total),
                 (f"{units.plain(total / duration if duration > 0 else 0.0)}/s",)),
            _Row("checks_succeeded", units.percent(found.values["rate"]),
                 (f"{passes} out of {total}",)),
            _Row("checks_failed", units.percent(fails / total if total else 0.0),
                 (f"{fails} out of {total}",)),
        ]  # fmt: skip
        layout = _Layout(rows)
        self._lines += [self._aligned(row, layout, indent) for row in rows]
        self._lines.append("")
        for one in section.checks:
            self._check(one, indent)
        self._lines.append("")

    def _check(self, one: Check, indent: str) -> None:
        if not one.fails:
            self._lines.append(f"    {indent}{self.paint(f'✓ {one.name}', _GREEN)}")
            return
        share = int(100 * one.passes / (one.passes + one.fails))
        detail = f"↳  {share}% — ✓ {one.passes} / ✗ {one.fails}"
        self._lines.append(f"    {indent}{self.paint(f'✗ {one.name}', _RED)}")
        self._lines.append(f"      {indent}{indent}{self.paint(detail, _RED)}")


class _Layout:
    """Column widths of one section."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self.head = max((len(row.head) for row in rows), default=0)
        self.value = max((len(row.value) for row in rows), default=0)
        self.extras: list[int] = []
        self.columns: dict[str, int] = {}
        for row in rows:
            for number, extra in enumerate(row.extras):
                if number == len(self.extras):
                    self.extras.append(0)
                self.extras[number] = max(self.extras[number], len(extra))
            for stat, text in (row.columns or {}).items():
                self.columns[stat] = max(self.columns.get(stat, 0), len(text))


def _block(name: str) -> str:
    return next((block for block, prefixes in _PREFIXES if name.startswith(prefixes)), "CUSTOM")


def render(data: SummaryData, *, mode: str, color: bool) -> str:
    """`mode` is compact or full."""
    return _Printer(data, full=mode == "full", color=color).text()
