"""The end-of-test summary as text, in k6's form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.summary import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jsrunner.summary.model import CheckSummary, MetricSummary, Section, SummaryData

_BLOCKS: Final = (
    "CUSTOM", "HTTP", "EXECUTION", "NETWORK", "BROWSER", "WEB_VITALS", "GRPC", "WEBSOCKET",
)  # fmt: skip
#: The blocks by the prefixes of metrics' names. As in k6, custom metrics with such a prefix are there,
#: too.
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
#: The prefixes of metrics without a line: the summary shows them as checks and groups.
_HIDDEN: Final = ("checks", "group_duration")
_HIDDEN_IN_COMPACT: Final = tuple(
    f"http_req_{part}"
    for part in ("blocked", "connecting", "receiving", "sending", "tls_handshaking", "waiting")
)

_BOLD, _GREEN, _RED, _WHITE, _CYAN = "1", "32", "31", "37", "36"
_FAINT_CYAN, _FAINT_WHITE = "2;36", "2;37"

#: The order of characters in the root collation of Unicode, by which k6 sorts; others come last.
_ORDER: Final = {
    character: position
    for position, character in enumerate(
        "\t _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
    )
}


def _collated(text: str) -> tuple[list[int], str]:
    """Return a sort key: `_` before digits before letters, small letters before equal capital ones."""
    weights = [_ORDER.get(character, 0x100 + ord(character)) for character in text.lower()]
    return weights, text.swapcase()


def _sorted(metrics: Iterable[MetricSummary]) -> list[MetricSummary]:
    """Sort metrics by name, sub-metrics behind their metric."""
    return sorted(
        metrics,
        key=lambda metric: (
            _collated(metric.parent or metric.name),
            bool(metric.parent),
            _collated(metric.label),
        ),
    )


def is_hidden(metric: str, *, full: bool) -> bool:
    """Return True if the summary has no line for a metric. As in k6, the prefix of its name decides.

    Args:
        metric: The metric's name.
        full: True if the summary is the full one.
    """
    return metric.startswith(_HIDDEN) or (not full and metric.startswith(_HIDDEN_IN_COMPACT))


class _Line(Struct, frozen=True):
    """The line of a metric before alignment: a trend has columns, others a value and extras."""

    head: str
    value: str = ""
    extras: tuple[str, ...] = ()
    #: Pairs of a statistic and its text. The option summaryTrendStats may have a statistic twice.
    columns: Sequence[tuple[str, str]] | None = None


class _Printer:
    """The printer of one summary: collects its lines."""

    def __init__(self, data: SummaryData, *, full: bool, color: bool) -> None:
        self._data = data
        self._full = full
        self._color = color
        self._lines: list[str] = []

    def paint(self, text: str, code: str) -> str:
        """Return a text in the color of an escape code, if colors are enabled."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text

    # -- the summary -------------------------------------------------------------------------------

    def text(self) -> str:
        """Return the text of the summary."""
        data = self._data
        if any(metric.thresholds for metric in data.total.metrics):
            self._title("THRESHOLDS", 0)
            self._thresholds()
            self._blank(2)
        self._title("TOTAL RESULTS", 0)
        self._results(data.total, 0)
        if self._full:
            self._groups_and_scenarios()
        inexact = [metric.name for metric in data.total.metrics if not metric.exact]
        if inexact:
            self._blank(1)
            self._lines.append(
                "  The percentiles of " + ", ".join(inexact) + " come from buckets that are 0.1 % "
                "wide: there were too many values to keep."
            )
        self._blank(0)
        return "\n".join(self._lines)

    def _groups_and_scenarios(self) -> None:
        """Print the groups of the scenario `default`, and the other scenarios."""
        for name, group in self._data.total.groups.items():
            self._blank(2)
            self._title(f"GROUP: {name}", 0)
            self._with_groups(group, 0)
        for name in sorted(self._data.scenarios, key=_collated):
            self._blank(2)
            self._title(f"SCENARIO: {name}", 0)
            self._with_groups(self._data.scenarios[name], 0)

    def _with_groups(self, section: Section, depth: int) -> None:
        """Print a section and its groups."""
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
        """Set the number of blank lines at the end."""
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        self._lines += [""] * count

    # -- thresholds --------------------------------------------------------------------------------

    def _thresholds(self) -> None:
        """Print the results of all thresholds."""
        metrics = [metric for metric in self._data.total.metrics if metric.thresholds]
        names = {metric.name for metric in metrics}
        for metric in _sorted(metrics):
            indent, head = "    ", metric.name
            if metric.parent in names:
                indent, head = "      ", metric.name[len(metric.parent or "") :]
            self._lines.append(indent + head)
            for result in metric.thresholds:
                mark = self.paint("✓", _GREEN) if result.ok else self.paint("✗", _RED)
                source = self.paint(f"'{result.source.strip()}'", _WHITE)
                aggregation = re.split("[=<>]", result.source, maxsplit=1)[0].strip()
                value = self._figure(metric, aggregation, result.value)
                shown = self.paint(value, _CYAN) if value else ""
                self._lines.append(f"{indent}{mark} {source} {self.paint(aggregation, _WHITE)}={shown}")
            self._lines.append("")

    def _figure(self, metric: MetricSummary, aggregation: str, value: float | None) -> str:
        """Return the value of a threshold with its unit; "" if the summary does not show it.

        Args:
            metric: The threshold's metric.
            aggregation: The text before the first of the characters `=`, `<` and `>`, in which k6 looks
                for the aggregation. It may have a `!` or an unusual spelling of a percentile.
            value: The value; None if the summary does not show it.
        """
        kind, contains, unit = metric.metric.type, metric.metric.contains, self._data.time_unit
        if kind == "counter" and aggregation != "count":
            return units.value_of(metric.values["rate"], contains, unit) + "/s"
        unknown = kind == "trend" and not re.fullmatch(r"\w+|p\(\d+(\.\d+)?\)", aggregation)
        if value is None or unknown:
            return ""
        return units.percent(value) if kind == "rate" else units.value_of(value, contains, unit)

    # -- sections ----------------------------------------------------------------------------------

    def _results(self, section: Section, depth: int) -> None:
        """Print the checks and metrics of a section."""
        indent = "  " * depth
        self._checks(section, indent)
        blocks: dict[str, list[MetricSummary]] = {}
        for metric in section.metrics:
            name = metric.metric.name
            if is_hidden(name, full=self._full):
                continue
            blocks.setdefault(_block(name), []).append(metric)
        lines = {
            block: [self._line(metric) for metric in _sorted(blocks[block])]
            for block in _BLOCKS
            if block in blocks
        }
        layout = _Layout([line for block in lines.values() for line in block])
        for block, block_lines in lines.items():
            self._lines.append(f"    {indent}{self.paint(block, _BOLD)}")
            self._lines += [self._aligned(line, layout, indent) for line in block_lines]
            self._lines.append("")

    def _line(self, metric: MetricSummary) -> _Line:
        """Return the line of a metric."""
        values, contains, unit = metric.values, metric.metric.contains, self._data.time_unit
        head = f"  {metric.label}" if metric.parent else metric.name

        def shown(key: str) -> str:
            return units.value_of(values[key], contains, unit)

        if metric.metric.type == "trend":
            columns = [
                (stat, units.number(values[stat]) if stat == "count" else shown(stat))
                for stat in self._data.trend_stats
            ]
            return _Line(head, columns=columns)
        if metric.metric.type == "rate":
            passes, fails = values["passes"], values["fails"]
            outof = f"{units.number(passes)} out of {units.number(passes + fails)}"
            return _Line(head, units.percent(values["rate"]), (outof,))
        if metric.metric.type == "counter":
            return _Line(head, shown("count"), (f"{shown('rate')}/s",))
        return _Line(head, shown("value"), (f"min={shown('min')}", f"max={shown('max')}"))

    def _aligned(self, line: _Line, layout: _Layout, indent: str) -> str:
        """Return the text of a line, aligned with the others of its section."""
        dots = self.paint("." * (layout.head - len(line.head) + 3) + ":", _FAINT_WHITE)
        text = f"    {indent}{line.head}{dots} "
        if line.columns is not None:
            return text + " ".join(
                f"{stat}={self.paint(column, _CYAN)}{' ' * (layout.columns[stat] - len(column))}"
                for stat, column in line.columns
            )
        text += f"{self.paint(line.value, _CYAN)}{' ' * (layout.value - len(line.value))}"
        if len(line.extras) == 1:
            return f"{text} {self.paint(line.extras[0], _FAINT_CYAN)}"
        for extra, width in zip(line.extras, layout.extras, strict=True):
            text += f" {self.paint(extra, _FAINT_CYAN)}{' ' * (width - len(extra))}"
        return text

    def _checks(self, section: Section, indent: str) -> None:
        """Print the totals of the checks, and a line for each check."""
        checks = next((metric for metric in section.metrics if metric.name == "checks"), None)
        if checks is None:
            return
        passes, fails = int(checks.values["passes"]), int(checks.values["fails"])
        total = passes + fails
        duration = self._data.duration
        lines = [
            _Line("checks_total", units.plain(total),
                  (f"{units.plain(total / duration if duration > 0 else 0.0)}/s",)),
            _Line("checks_succeeded", units.percent(checks.values["rate"]),
                  (f"{passes} out of {total}",)),
            _Line("checks_failed", units.percent(fails / total if total else 0.0),
                  (f"{fails} out of {total}",)),
        ]  # fmt: skip
        layout = _Layout(lines)
        self._lines += [self._aligned(line, layout, indent) for line in lines]
        self._lines.append("")
        for check in section.checks:
            self._check(check, indent)
        self._lines.append("")

    def _check(self, check: CheckSummary, indent: str) -> None:
        """Print a check, with its passes and fails if it has failed."""
        if not check.fails:
            self._lines.append(f"    {indent}{self.paint(f'✓ {check.name}', _GREEN)}")
            return
        share = int(100 * check.passes / (check.passes + check.fails))
        detail = f"↳  {share}% — ✓ {check.passes} / ✗ {check.fails}"
        self._lines.append(f"    {indent}{self.paint(f'✗ {check.name}', _RED)}")
        self._lines.append(f"      {indent}{indent}{self.paint(detail, _RED)}")


class _Layout:
    """The column widths of one section."""

    def __init__(self, lines: Sequence[_Line]) -> None:
        self.head = max((len(line.head) for line in lines), default=0)
        self.value = max((len(line.value) for line in lines), default=0)
        self.extras: list[int] = []
        #: The widths by statistic.
        self.columns: dict[str, int] = {}
        for line in lines:
            for number, extra in enumerate(line.extras):
                if number == len(self.extras):
                    self.extras.append(0)
                self.extras[number] = max(self.extras[number], len(extra))
            for stat, text in line.columns or ():
                self.columns[stat] = max(self.columns.get(stat, 0), len(text))


def _block(name: str) -> str:
    """Return the block of a metric's line."""
    return next((block for block, prefixes in _PREFIXES if name.startswith(prefixes)), "CUSTOM")


def render(data: SummaryData, *, mode: str, color: bool) -> str:
    """Return the text of the summary.

    Args:
        data: The summary.
        mode: compact or full.
        color: True if the text has the escape codes of colors.
    """
    return _Printer(data, full=mode == "full", color=color).text()
