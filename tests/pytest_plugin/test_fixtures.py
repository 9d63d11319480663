"""The fixtures `k6_run` and `k6_server`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Write = Callable[[str, str], Path]

ECHO = """
import ws from 'k6/ws';
import { check } from 'k6';
export default function () {
  const response = ws.connect(`${__ENV.WS_URL}/echo`, (socket) => socket.on('open', () => socket.close()));
  check(response, { open: (r) => r && r.status === 101 });
}
"""


def test_a_script_is_run_from_a_test(pytester: pytest.Pytester, write: Write) -> None:
    write("tests/load/echo.js", ECHO)
    write(
        "tests/load/test_echo.py",
        """
        import jsrunner, pytest

        def test_path(k6_run, k6_server, tmp_path, monkeypatch):
            monkeypatch.chdir(tmp_path)
            result = k6_run("echo.js", options={"iterations": 3})
            assert result.checks["::open"] == (3, 0)
            assert k6_server.ws_url.startswith("ws://127.0.0.1:")
            assert k6_server.http_url.startswith("http://127.0.0.1:")

        @pytest.mark.k6(options={"iterations": 5}, env={"WHO": "marker"})
        def test_text(k6_run):
            script = jsrunner.Script.from_text("export default () => console.log(__ENV.WHO)")
            records = []
            assert k6_run(script, on_log=records.append).metrics["iterations"]["count"] == 5
            assert {record.text for record in records} == {"marker"}
            assert k6_run(script, env={"WHO": "call"}, once=True).log[0].text == "call"
        """.replace("\n        ", "\n"),
    )
    result = pytester.runpytest("--junit-xml=junit.xml")
    result.assert_outcomes(passed=2)
    assert (pytester.path / "junit.xml").read_text().count('name="k6.iterations.count" value="5') == 1


def test_a_run_that_does_not_pass_fails_the_test(pytester: pytest.Pytester, write: Write) -> None:
    write(
        "slow.js",
        "export const options = { thresholds: { iterations: ['count>5'] } };\nexport default () => {};",
    )
    write(
        "test_slow.py",
        "def test_fails(k6_run):\n    k6_run('slow.js')\n"
        "def test_result(k6_run):\n    assert not k6_run('slow.js', passes=False).passed\n"
        "def test_missing(k6_run):\n    k6_run('missing.js')\n",
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            ">       k6_run('slow.js')",
            "E*K6Failure: slow.js: thresholds on metrics 'iterations' have been crossed (exit code 99)",
            "E       thresholds crossed:",
            "E         iterations: count>5 (1)",
            "*test_slow.py:2: K6Failure",
        ]
    )
    result.stdout.fnmatch_lines(
        [">       k6_run('missing.js')", "E*missing.js* couldn't be found on local disk*"]
    )
    result.stdout.no_fnmatch_line("*functions.py*")


def test_one_server_serves_the_session(pytester: pytest.Pytester, write: Write) -> None:
    write("echo.js", ECHO.replace("WS_URL", "WSS_URL"))
    write(
        "test_server.py",
        "import os\nurls = set()\n"
        "def test_a(k6_server, k6_run):\n    urls.add(k6_server.ws_url)\n    k6_run('echo.js', once=True)\n"
        "def test_b(k6_server):\n    urls.add(k6_server.ws_url)\n    assert len(urls) == 1\n",
    )
    pytester.runpytest().assert_outcomes(passed=2)
