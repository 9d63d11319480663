"""Scripts as tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, str], Path]

PASSES = "import { check } from 'k6';\nexport default () => { check(1, { one: (v) => v === 1 }); };"
SCENARIOS = """
const once = { executor: 'per-vu-iterations', vus: 1, iterations: 1 };
export const options = { scenarios: { login: { ...once, exec: 'login' }, buy: { ...once, exec: 'buy' } } };
export const login = () => console.log(`login ${__ENV.WHO}`);
export const buy = () => { throw new Error('sold out'); };
"""
SOME = """
import { check, group } from 'k6';
export const options = {
  vus: 2, iterations: 4,
  thresholds: { checks: ['rate>0.9'], iterations: ['count<100'], 'iteration_duration{scenario:default}': ['max<0'] },
};
export default function () {
  group('sums', () => check(2, { 'is one': (v) => v === 1, 'is two': (v) => v === 2 }));
  missing();
}
"""


def lines(result: pytest.RunResult) -> list[str]:
    """Return the report of the first failure."""
    begin = next(number for number, line in enumerate(result.outlines) if line.startswith("____"))
    end = next(
        number
        for number, line in enumerate(result.outlines)
        if number > begin and line[:4] in ("----", "====")
    )
    return result.outlines[begin + 1 : end]


def test_scripts_are_collected_by_their_names(pytester: pytest.Pytester, write: Write) -> None:
    write("a.k6.js", PASSES)
    write("load/b.k6.ts", "export default (): void => {};")
    write("load/c.js", "throw new Error('no test')")
    write("test_other.py", "def test_python(): pass")
    result = pytester.runpytest("-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines_random(
        ["a.k6.js::run PASSED*", "test_other.py::test_python PASSED*", "load/b.k6.ts::run PASSED*"],
    )


def test_scripts_are_selected_as_other_tests_are(pytester: pytest.Pytester, write: Write) -> None:
    write("good.k6.js", PASSES)
    write("bad.k6.js", "export default () => {}; export function setup() { throw new Error('x'); }")
    pytester.runpytest("-k", "good").assert_outcomes(passed=1, deselected=1)
    pytester.runpytest().assert_outcomes(passed=1, failed=1)
    pytester.runpytest("--lf").assert_outcomes(failed=1)
    pytester.runpytest("-m", "not k6").assert_outcomes(deselected=2)


def test_the_configuration_names_further_scripts(pytester: pytest.Pytester, write: Write) -> None:
    for name in ("load/a.js", "load/b.js", "c.load.js", "d.js", "load/deep/e.js"):
        write(name, PASSES)
    pytester.makeini("[pytest]\nk6_files = load/[ab].js *.load.js")
    pytester.runpytest("--collect-only", "-q").stdout.fnmatch_lines_random(
        ["c.load.js::run", "load/a.js::run", "load/b.js::run", "3 tests collected*"]
    )


def test_a_failure_says_why(pytester: pytest.Pytester, write: Write) -> None:
    path = write("some.k6.js", SOME)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    report = lines(result)
    assert report[0] == (
        "some.k6.js: thresholds on metrics 'checks, iteration_duration{scenario:default}' have been crossed "
        "(exit code 99)"
    )
    assert report[1:3] == ["thresholds crossed:", "  checks: rate>0.9 (0.5)"]
    assert report[3].startswith("  iteration_duration{scenario:default}: max<0 (")
    assert report[4:] == [
        "checks failed:",
        "  sums::is one: 4 of 4",
        "exceptions:",
        "  ReferenceError: missing is not defined (4 times)",
        f"    at default (file://{path}:9:3(0))",
    ]
    result.stdout.fnmatch_lines(
        ["*Captured stderr call*", "FAILED some.k6.js::run - some.k6.js: thresholds*"]
    )


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            "nonsense(",
            "bad.k6.js: could not initialize * Line 1:10 Unexpected end of input (exit code 107)",
        ),
        (
            "export const options = { vus: 'many' }; export default () => {}",
            "bad.k6.js: *(exit code 104)",
        ),
        (
            "import exec from 'k6/execution'; export default () => exec.test.abort('enough')",
            "bad.k6.js: test aborted: enough at default (file://*) (exit code 108)",
        ),
        (
            "export const setup = () => { throw new Error('no setup') }; export default () => {}",
            "bad.k6.js: Error: no setup (exit code 107)",
        ),
    ],
)
def test_what_cannot_be_run_fails(
    pytester: pytest.Pytester, write: Write, script: str, text: str
) -> None:
    write("bad.k6.js", script)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([text])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_scenario_is_a_test(pytester: pytest.Pytester, write: Write) -> None:
    write("shop.k6.js", SCENARIOS)
    write("single.k6.js", PASSES)
    write("broken.k6.js", "nonsense(")
    pytester.makeini("[pytest]\nk6_items = scenario\nk6_strict = true\nk6_env =\n  WHO=ada\n  A=b=c")
    pytester.runpytest("--collect-only", "-q").stdout.fnmatch_lines(
        ["broken.k6.js::run", "shop.k6.js::buy", "shop.k6.js::login", "single.k6.js::run"]
    )
    result = pytester.runpytest("-rA")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*msg=?login ada?*"])
    result.stdout.fnmatch_lines_random(["FAILED broken.k6.js::run*", "FAILED shop.k6.js::buy*"])
    again = pytester.runpytest("--lf", "-v")
    again.assert_outcomes(failed=2)
    pytester.runpytest("-k", "login").assert_outcomes(passed=1, deselected=3)


def test_exceptions_and_checks_fail_a_strict_test(pytester: pytest.Pytester, write: Write) -> None:
    write("shop.k6.js", SCENARIOS)
    write("check.k6.js", PASSES.replace("v === 1", "v === 2"))
    pytester.runpytest().assert_outcomes(passed=2)  # as for k6
    result = pytester.runpytest("--k6-strict")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "check.k6.js: checks failed, or the script has thrown (exit code 0)",
            "checks failed:",
            "  one: 1 of 1",
        ]
    )
    result.stdout.fnmatch_lines(
        ["exceptions:", "  Error: sold out", "    at buy (file://*/shop.k6.js:5:*"]
    )


def test_each_scenario_once(pytester: pytest.Pytester, write: Write) -> None:
    write("shop.k6.js", SCENARIOS)
    pytester.makeini('[pytest]\nk6_options = {"vus": 5, "duration": "1h"}')
    result = pytester.runpytest("--k6-once", "--k6-env", "WHO=eve")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  Error: sold out", "*msg=?login eve?*"])


def test_options_of_the_command_line_win(pytester: pytest.Pytester, write: Write) -> None:
    write(
        "shown.k6.js",
        "import exec from 'k6/execution';\nexport const options = { vus: 2, iterations: 4 };\n"
        "export default () => console.log(exec.test.options.scenarios.default.vus, exec.test.options.tags.a, __ENV.A, __ENV.B);",
    )
    pytester.makeini('[pytest]\nk6_options = {"vus": 3, "tags": {"a": "ini"}}\nk6_env = A=ini\n  B=ini')
    pytester.makeconftest(
        "import pytest\n"
        "def pytest_itemcollected(item):\n"
        "    item.add_marker(pytest.mark.k6(options={'tags': {'a': 'marker'}}, env={'A': 'marker'}))"
    )
    flags = ("--k6-vus=4", "--k6-iterations=4", "--k6-env=B=flag")
    result = pytester.runpytest("-rP", *flags)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*msg=?4 marker marker flag?*"])
    result = pytester.runpytest("-rP")
    result.stdout.fnmatch_lines(["*msg=?3 marker marker ini?*"])


def test_a_duration(pytester: pytest.Pytester, write: Write) -> None:
    write("fast.k6.js", "import { sleep } from 'k6';\nexport default () => sleep(0.02);")
    write("test_junit.py", "")
    pytester.runpytest("--k6-duration=1s", "--junit-xml=junit.xml").assert_outcomes(passed=1)
    (count,) = metrics(pytester, "k6.iterations.count")
    assert 1 < float(count) <= 50


def metrics(pytester: pytest.Pytester, name: str) -> list[str]:
    root = ElementTree.fromstring((pytester.path / "junit.xml").read_text())
    return [one.attrib["value"] for one in root.iter("property") if one.attrib["name"] == name]


def test_metrics_are_properties(pytester: pytest.Pytester, write: Write) -> None:
    write("some.k6.js", SOME)
    pytester.runpytest("--junit-xml=junit.xml").assert_outcomes(failed=1)
    assert metrics(pytester, "k6.checks.rate") == ["0.5"]
    assert metrics(pytester, "k6.iteration_duration.p(95)") != []


def test_the_server_for_a_script(pytester: pytest.Pytester, write: Write) -> None:
    write(
        "echo.k6.js",
        "import ws from 'k6/ws';\nimport { check } from 'k6';\nexport default () => {\n"
        "  const response = ws.connect(`${__ENV.WS_URL}/echo`, (socket) => socket.on('open', () => socket.close()));\n"
        "  check(response, { open: (r) => r && r.status === 101 });\n};",
    )
    pytester.runpytest("--k6-strict").assert_outcomes(failed=1)
    pytester.runpytest("--k6-strict", "--k6-server").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("ini", "flags", "text"),
    [
        ("k6_items = all", (), "*k6_items is 'all', it must be script or scenario*"),
        ("k6_options = {", (), "*k6_options is no JSON: *"),
        ("k6_options = 5", (), "*k6_options must be a JSON object, not 5*"),
        ("k6_env = A", (), "*k6_env: 'A' is no NAME=value*"),
        ("", ("--k6-env=A",), "*--k6-env: 'A' is no NAME=value*"),
        ("", ("--k6-duration=soon",), "*a.k6.js: the option duration is *soon*"),
    ],
)
def test_a_wrong_configuration(
    pytester: pytest.Pytester, write: Write, ini: str, flags: tuple[str, ...], text: str
) -> None:
    write("a.k6.js", PASSES)
    pytester.makeini(f"[pytest]\n{ini}")
    result = pytester.runpytest(*flags)
    assert result.ret != 0
    result.stdout.fnmatch_lines([text])
