"""Results, with real runs."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from waiting import DEADLINE

import jsrunner

SCRIPT = """
import exec from 'k6/execution';
import { check, group } from 'k6';
export const options = {
  thresholds: { checks: ['rate>0.9'], 'iterations{scenario:default}': ['count<5'], http_reqs: ['count>=0'] },
};
export default function () {
  group('a <b>', () => check(exec.scenario.iterationInTest, { 'below & 2': (value) => value < 2 }));
  if (exec.scenario.iterationInTest === 3) throw new Error('third\\u0000');
}
"""


@pytest.fixture(scope="module")
def result() -> jsrunner.Result:
    script = jsrunner.Script.from_text(SCRIPT, name="mine.js")
    return jsrunner.run(script, options={"iterations": 4}, on_log=lambda record: None)


def test_the_verdict(result: jsrunner.Result) -> None:
    assert not result.passed
    assert result.exit_code == jsrunner.ExitCode.THRESHOLDS_FAILED
    assert result.reason == "thresholds on metrics 'checks' have been crossed"
    assert re.match(r"<Result of mine\.js: THRESHOLDS_FAILED \(99\), \d+\.\d", repr(result))
    assert 0 < result.duration < DEADLINE
    assert result.summary["state"]["testRunDurationMs"] == result.duration * 1000


def test_thresholds_have_values(result: jsrunner.Result) -> None:
    assert [(one.metric, one.source, one.passed, one.value) for one in result.thresholds] == [
        ("checks", "rate>0.9", False, 0.5),
        ("http_reqs", "count>=0", True, None),
        ("iterations{scenario:default}", "count<5", True, 4.0),
    ]
    assert [str(one) for one in result.thresholds][:2] == [
        "checks: rate>0.9 (0.5)",
        "http_reqs: count>=0 (no samples)",
    ]
    assert result.failed_thresholds == {"checks": ["rate>0.9"]}


def test_checks_have_counts(result: jsrunner.Result) -> None:
    ((path, check),) = result.checks.items()
    assert path == "::a <b>::below & 2"
    assert (check.passes, check.fails) == (2, 2)


def test_the_log_has_exceptions_with_their_lines(result: jsrunner.Result) -> None:
    exception, crossed = result.log
    assert exception.level == "error"
    assert exception.fields["source"] == "stacktrace"
    assert exception.text.startswith("Error: third\0\n\tat default (file://")
    assert "mine.js:9:" in exception.text
    assert str(crossed) == f"error: {result.reason}"


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        ("export default () => {}", "SUCCESS", ""),
        (
            "import exec from 'k6/execution'; export default () => exec.test.abort('enough')",
            "SCRIPT_ABORTED",
            "test aborted: enough",
        ),
        (
            "import exec from 'k6/execution'; export default () => exec.test.fail('bad')",
            "MARKED_AS_FAILED",
            "test run was marked as failed",
        ),
        (
            "export default () => {}\nexport const setup = () => { throw new Error('no') }",
            "SCRIPT_EXCEPTION",
            "Error: no\n\tat setup (file://*",
        ),
    ],
)
def test_why_a_run_has_not_passed(body: str, code: str, reason: str) -> None:
    result = jsrunner.run(jsrunner.Script.from_text(body), on_log=lambda record: None)
    assert result.exit_code.name == code
    assert result.reason.startswith(reason.rstrip("*"))
    assert bool(result.reason) == bool(reason)


def test_a_long_log_is_cut() -> None:
    script = jsrunner.Script.from_text(
        "export default () => { console.log('a'); console.error('b'); }\n"
        "export const options = { vus: 2, iterations: 1500 };"
    )
    result = jsrunner.run(script, on_log=lambda record: None)
    assert [record.text for record in result.log].count("a") == 1000
    assert [record.text for record in result.log].count("b") == 1000
    assert result.log_dropped == 1000
    assert list(result.log) == sorted(result.log, key=lambda record: record.time)


def test_junit(result: jsrunner.Result) -> None:
    root = ElementTree.fromstring(result.to_junit().encode())
    (suite,) = root
    assert suite.attrib["name"] == "mine.js"
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("5", "3")
    failures = {
        (case.attrib["classname"], case.attrib["name"]): failure.attrib["message"]
        for case in suite.iter("testcase")
        for failure in case.iter("failure")
    }
    assert failures == {
        ("mine.js", "run"): result.reason,
        ("thresholds", "checks: rate>0.9"): "checks: rate>0.9 (0.5)",
        ("checks", "a <b>::below & 2"): "2 of 4 failed",
    }
    (run, *_) = suite.iter("failure")
    assert run.text is not None
    assert "third\ufffd" in run.text
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert properties["iterations.count"] == "4"
    assert properties["iterations{scenario:default}.count"] == "4"


def test_junit_of_a_run_that_has_passed() -> None:
    result = jsrunner.run(jsrunner.Script.from_text("export default () => {}"))
    (suite,) = ElementTree.fromstring(result.to_junit().encode())
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("1", "0")


def test_html(result: jsrunner.Result) -> None:
    html = result._repr_html_()
    assert html.startswith("<table>")
    assert html.endswith("</table>")
    assert "mine.js" in html
    assert "thresholds on metrics &#x27;checks&#x27; have been crossed (exit code 99)" in html
    assert "a &lt;b&gt;::below &amp; 2" in html
    assert "2 passed, 2 failed" in html
    ElementTree.fromstring(html)
