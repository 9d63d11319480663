"""SIGINT and SIGTERM: once for an orderly stop, twice for the end."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from running import Process

    Run = Callable[..., Process]


SCRIPT = """
import { sleep } from 'k6';
export const options = { vus: 2, duration: '1h' };
export function setup() { %(setup)s }
export default function () { console.log('iterating'); %(iteration)s }
export function teardown() { %(teardown)s console.log('teardown done'); }
export function handleSummary(data) { %(summary)s return { stdout: 'own summary' }; }
"""


def script(**parts: str) -> str:
    names = ("setup", "iteration", "teardown", "summary")
    return SCRIPT % {name: parts.get(name, "") for name in names}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("body", ["sleep(3600);", "while (true) {}"])
def test_first_signal_stops_iterations(start: Run, number: int, body: str) -> None:
    """Teardown runs whole, even if it computes for longer than a look at it takes."""
    process = start(
        script(
            iteration=body,
            teardown="const end = Date.now() + 100; while (Date.now() < end); sleep(0.05);",
        )
    )
    process.wait_for("iterating")
    process.signal(number)
    done = process.end()
    assert done.code == 105
    name = "interrupt" if number == signal.SIGINT else "terminated"
    assert done.messages("error") == [f"test run was aborted because k6 received a '{name}' signal"]
    assert done.said("teardown done")
    assert done.stdout == "own summary"


@pytest.mark.parametrize("body", ["sleep(3600);", "while (true) {}"])
@pytest.mark.parametrize("where", ["teardown", "summary"])
def test_second_signal_ends_all_at_once(start: Run, where: str, body: str) -> None:
    process = start(script(**{where: f"console.log('here'); {body}"}), "-i", "2")
    process.wait_for("here")
    process.signal(signal.SIGINT)
    process.wait_for("received a 'interrupt' signal")
    process.signal(signal.SIGTERM)
    assert process.end().code == 105


@pytest.mark.parametrize("body", ["sleep(3600);", "while (true) {}", "await new Promise(() => {}); "])
def test_signal_in_setup(start: Run, body: str) -> None:
    """No iterations and, as setup has not succeeded, no teardown."""
    text = script(setup=f"console.log('here'); {body}").replace(
        "function setup", "async function setup"
    )
    if "Promise" in body:
        text = text.replace(body, "await new Promise(() => setTimeout(() => {}, 3600000));")
    process = start(text)
    process.wait_for("here")
    process.signal(signal.SIGINT)
    done = process.end()
    assert done.code == 105
    assert not done.said("iterating")
    assert not done.said("teardown done")
    assert done.stdout == "own summary"


def test_signal_in_the_midst_of_a_log_line(tmp_path: Path) -> None:
    """The signal comes when the line can be read, which is before the writing call has returned."""
    (tmp_path / "script.js").write_text(script(iteration="sleep(3600);"))
    process = subprocess.Popen(
        [sys.executable, "-m", "jsrunner", "run", "--quiet", "--log-format=raw", "script.js"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "iterating\n"
    process.send_signal(signal.SIGINT)
    out, log = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (105, "own summary")
    assert "test run was aborted because k6 received a 'interrupt' signal\n" in log
    assert log.endswith("teardown done\n")


def test_signal_in_teardown_lets_it_finish(start: Run) -> None:
    process = start(script(teardown="console.log('here'); sleep(0.5);"), "-i", "2")
    process.wait_for("here")
    process.signal(signal.SIGINT)
    done = process.end()
    assert done.code == 105
    assert done.said("teardown done")
    assert done.stdout == "own summary"


def test_signal_in_the_summary_lets_it_finish(start: Run) -> None:
    process = start(script(summary="console.log('here'); sleep(0.5);"), "-i", "2")
    process.wait_for("here")
    process.signal(signal.SIGINT)
    done = process.end()
    assert done.code == 105
    assert done.stdout == "own summary"


def test_abort_lets_teardown_compute(run: Run) -> None:
    done = run(
        """
        import exec from 'k6/execution';
        export default function () { exec.test.abort('enough'); }
        export function teardown() {
          const end = Date.now() + 200;
          while (Date.now() < end);
          console.log('teardown done');
        }
        """
    )
    assert done.code == 108
    assert done.said("test aborted: enough")
    assert done.said("teardown done")


@pytest.mark.parametrize("where", ["setup", "teardown"])
def test_abort_in_a_stage(run: Run, where: str) -> None:
    done = run(
        f"""
        import exec from 'k6/execution';
        export default function () {{}}
        export function {where}() {{ exec.test.abort('in {where}'); }}
        """
    )
    assert done.code == 108
    assert done.messages("error") == [f"test aborted: in {where}"]
    assert "data_sent" in done.stdout


def test_abort_in_handle_summary(run: Run) -> None:
    """The test is over; the usual summary is shown."""
    done = run(
        """
        import exec from 'k6/execution';
        export default function () {}
        export function handleSummary() { exec.test.abort('too late'); }
        """
    )
    assert done.code == 0
    [message] = done.messages("error")
    assert message.startswith("test aborted: too late at handleSummary")
    assert "data_sent" in done.stdout
