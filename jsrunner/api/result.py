"""The result of a run, also as JUnit XML and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from msgspec import Struct

from jsrunner.api.records import Check, LogRecord, Threshold
from jsrunner.errors import ExitCode

if TYPE_CHECKING:
    from jsrunner.api.samples import Samples

_GOOD: Final = "color: #1a7f37"
_BAD: Final = "color: #cf222e"
#: Metrics that say most of a run, in this order; those that a run has are shown.
_METRICS: Final = (
    "iterations", "iteration_duration", "http_reqs", "http_req_duration", "ws_sessions",
    "ws_connecting", "ws_msgs_sent", "ws_msgs_received",
)  # fmt: skip


class Result(Struct, frozen=True):
    """The result of a run that has ended."""

    #: The exit code that `jsrunner run` would have (k6's exit codes).
    exit_code: ExitCode
    #: Why the run has not passed, in the words of its log; "" if it has passed.
    reason: str
    #: Seconds from setup to the end of teardown.
    duration: float
    thresholds: tuple[Threshold, ...]
    #: The data that handleSummary gets: root_group, metrics, options, state, setup_data.
    summary: dict[str, Any]
    #: The first records of the run's log: 1,000 of its warnings and errors, and 1,000 others.
    log: tuple[LogRecord, ...] = ()
    #: Number of further records.
    log_dropped: int = 0
    #: Every sample, if the run was started with `samples=True`.
    samples: Samples | None = None
    #: The script's file name.
    name: str = "script.js"

    def __repr__(self) -> str:
        code = f"{self.exit_code.name} ({self.exit_code.value})"
        return f"<Result of {self.name}: {code}, {self.duration:.1f} s>"

    @property
    def passed(self) -> bool:
        """True if no threshold was crossed and nothing ended the run early."""
        return self.exit_code == ExitCode.SUCCESS

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The values of each metric by its name (times in ms).

        A counter has count and rate; a gauge value, min and max; a rate rate, passes and fails; a trend
        avg, min, med, max, p(90) and p(95), or what the option summaryTrendStats names.
        """
        return {name: metric["values"] for name, metric in self.summary.get("metrics", {}).items()}

    @property
    def failed_thresholds(self) -> dict[str, list[str]]:
        """The expressions of the crossed thresholds by metric."""
        failures: dict[str, list[str]] = {}
        for threshold in self.thresholds:
            if not threshold.passed:
                failures.setdefault(threshold.metric, []).append(threshold.source)
        return failures

    @property
    def checks(self) -> dict[str, Check]:
        """(passes, fails) of each check by its path, e.g. `::login::status is 200`."""
        checks: dict[str, Check] = {}
        groups = [self.summary["root_group"]] if "root_group" in self.summary else []
        while groups:
            group = groups.pop(0)
            for check in group["checks"]:
                checks[check["path"]] = Check(check["passes"], check["fails"])
            groups += group["groups"]
        return checks

    def to_junit(self) -> str:
        """Return a JUnit XML document: a test case for the run, each threshold and each check.

        The values of all metrics are properties of the test suite.
        """
        return _junit(self)

    def _repr_html_(self) -> str:
        """Return a small HTML table with the verdict, for notebooks."""
        return _table(self)


def _junit(result: Result) -> str:
    """Return the document of one run: see `Result.to_junit`."""
    suite = Element("testsuite", name=_valid(result.name), time=f"{result.duration:.3f}")
    properties = SubElement(suite, "properties")
    for metric, values in result.metrics.items():
        for name, value in values.items():
            SubElement(properties, "property", name=_valid(f"{metric}.{name}"), value=f"{value:.6g}")
    run = _case(suite, "run", result.name, result.duration)
    if not result.passed:
        failure = SubElement(run, "failure", message=_valid(result.reason))
        errors = [str(record) for record in result.log if record.level == "error"]
        failure.text = _valid("\n".join(errors))
    for threshold in result.thresholds:
        case = _case(suite, f"{threshold.metric}: {threshold.source}", "thresholds")
        if not threshold.passed:
            SubElement(case, "failure", message=_valid(str(threshold)))
    for path, check in result.checks.items():
        case = _case(suite, path.removeprefix("::"), "checks")
        if check.fails:
            text = f"{check.fails} of {check.passes + check.fails} failed"
            SubElement(case, "failure", message=text)
    cases = suite.findall("testcase")
    failures = sum(case.find("failure") is not None for case in cases)
    suite.attrib |= {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    document = Element("testsuites", name="jsrunner")
    document.append(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(document, encoding="unicode")}\n'


def _case(suite: Element, name: str, class_name: str, seconds: float = 0.0) -> Element:
    return SubElement(
        suite,
        "testcase",
        name=_valid(name),
        classname=_valid(class_name),
        time=f"{seconds:.3f}",
    )


def _valid(text: str) -> str:
    """Replace characters that XML 1.0 lacks: control characters and lone surrogates."""
    return "".join(
        sign if sign in "\t\n\r" or (sign >= " " and not "\ud800" <= sign <= "\udfff") else "�"
        for sign in text
    )


def _table(result: Result) -> str:
    """Return the table: the verdict, thresholds, checks, some metrics."""
    verdict = "passed" if result.passed else f"{result.reason} (exit code {result.exit_code.value})"
    rows = [_row(result.name, verdict, result.passed)]
    for threshold in result.thresholds:
        value = "no samples" if threshold.value is None else f"{threshold.value:.6g}"
        rows.append(_row(f"{threshold.metric}: {threshold.source}", value, threshold.passed))
    for path, check in result.checks.items():
        counts = f"{check.passes} passed, {check.fails} failed"
        rows.append(_row(path.removeprefix("::"), counts, not check.fails))
    metrics = result.metrics
    for name in _METRICS:
        if name in metrics:
            values = ", ".join(f"{stat}={value:.6g}" for stat, value in metrics[name].items())
            rows.append(_row(name, values, None))
    return f"<table>{''.join(rows)}</table>"


def _row(name: str, text: str, is_good: bool | None) -> str:
    sign = {True: "✓", False: "✗", None: ""}[is_good]
    style = "" if is_good is None else f' style="{_GOOD if is_good else _BAD}"'
    cells = f'<td{style}>{sign}</td><td style="text-align: left">{escape(name)}</td>'
    return f'<tr>{cells}<td style="text-align: left">{escape(text)}</td></tr>'
