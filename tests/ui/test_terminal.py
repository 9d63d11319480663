"""The display of a real run on a real terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
PLAIN_END = re.compile(r"default ✓ \[ 100% \] 2 VUs  00m0\d\.\ds/10m0s  20/20 shared iters\n")
COLOR = re.compile(rb"\x1b\[[0-9;]+m")
CURSOR_UP = re.compile(rb"\x1b\[\d+A")

#: With a gate, the last iteration waits for it.
TALKING = """
import exec from 'k6/execution';
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 2, iterations: 20 };
export default function () {
  sleep(0.05);
  if (__ENV.GATE && exec.scenario.iterationInTest === 19) http.get(__ENV.GATE);
  console.log(`iteration ${__ITER} of VU ${__VU} has a long line to say: ${'x'.repeat(120)} end`);
}
"""
LONG = """
import { sleep } from 'k6';
export const options = { vus: 2, duration: '1h' };
export default function () { sleep(0.05); }
"""
SHORT = "export default function () {}"


def test_frames_are_drawn_in_place_and_log_lines_stand_above(run_on_terminal: Any, gate: Any) -> None:
    terminal = run_on_terminal(TALKING, f"--env=GATE={gate.url}", columns=80)
    terminal.wait_for(lambda text: "running (" in text)
    assert terminal.cursor_hidden
    terminal.wait_for(lambda _: len(CURSOR_UP.findall(terminal.raw)) > 1)
    gate.open()
    assert terminal.finish() == 0
    text = terminal.text()
    assert "\x1b" not in text
    # One last frame is left, and nothing of the earlier ones.
    assert text.count("running (") == 1
    assert text.count("default ✓ ━") == 1
    # Each line of the log is there once, whole, although it is wider than the terminal.
    joined = "".join(line for line in terminal.lines())
    told = re.findall(r"iteration (\d+) of VU (\d+) has a long line to say: x{120} end", joined)
    assert len(told) == len(set(told)) == joined.count("has a long line") == 20
    # Then comes the summary.
    assert text.index("end") < text.index("running (") < text.index("TOTAL RESULTS")
    assert not terminal.cursor_hidden


def test_the_panel_shows_websocket_traffic_and_thresholds_at_risk(
    run_on_terminal: Any, echo: str
) -> None:
    terminal = run_on_terminal(
        """
        import ws from 'k6/ws';
        import { check } from 'k6';
        export const options = {
          vus: 3, duration: '1h',
          thresholds: { checks: ['rate>0.99'], ws_connecting: ['max<60000'] },
        };
        export default function () {
          const got = ws.connect(__ENV.URL, null, (socket) => {
            socket.on('open', () => socket.send('x'));
            socket.on('message', (text) => socket.setTimeout(() => socket.send(text), 20));
            socket.setTimeout(() => socket.close(), 400);
          });
          check(got, { never: () => false });
        }
        """,
        f"--env=URL={echo}",
    )
    terminal.wait_for(
        lambda text: bool(
            re.search(r"sessions open +3 +messages in +[1-9]\d*/s +script errors +0\n", text)
            and re.search(
                r"connect p95 +[\d.]+.?s +messages out +[1-9]\d*/s +failed checks +100.00%", text
            )
            and re.search(r"connect errors 0 +thresholds +1 failing\n", text)
            and re.search(r"✗ checks +rate>0.99 +0.00%", text)
        )
    )
    terminal.press(b"\x03")
    assert terminal.finish() == 105
    assert "messages in" not in terminal.text()  # the last frame leaves that to the summary


def test_interrupt_gives_the_cursor_back(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(LONG)
    terminal.wait_for(lambda text: "running (" in text)
    terminal.press(b"\x03")
    assert terminal.finish() == 105
    text = terminal.text()
    assert not terminal.cursor_hidden
    assert text.count("running (") == 1
    assert len(re.findall("default ✗ [━╾─]", text)) == 1
    assert text.count("test run was aborted because") == 1
    assert text.index("test run was aborted") < text.index("running (")


def test_second_interrupt_gives_the_cursor_back(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(
        LONG + "export function teardown() { console.log('in teardown'); sleep(60); }"
    )
    terminal.wait_for(lambda text: "running (" in text)
    terminal.press(b"\x03")
    terminal.wait_for(lambda text: "in teardown" in text)
    assert terminal.cursor_hidden
    terminal.press(b"\x03")
    assert terminal.finish() == 105
    assert not terminal.cursor_hidden


def test_failure_gives_the_cursor_back(run_on_terminal: Any, gate: Any) -> None:
    terminal = run_on_terminal(
        "import http from 'k6/http';\n"
        "export function setup() { http.get(__ENV.GATE); throw new Error('no way'); }\n" + SHORT,
        f"--env=GATE={gate.url}",
    )
    terminal.wait_for(lambda text: "setup()\n" in text)
    gate.open()
    assert terminal.finish() == 107
    assert HIDE in terminal.raw
    assert not terminal.cursor_hidden
    assert terminal.text().count("Error: no way") == 1


def test_suspending_gives_the_cursor_back(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(LONG)
    terminal.wait_for(lambda text: "running (" in text)
    # Nobody would continue the only process group of a session, so the kernel does not stop it:
    # the frames go on below the place where the cursor was given back.
    os.kill(terminal.process.pid, signal.SIGTSTP)
    terminal.wait_for(lambda text: text.count("running (") == 2)
    assert terminal.raw.index(SHOW) < terminal.raw.rindex(HIDE)
    terminal.press(b"\x03")
    assert terminal.finish() == 105
    assert not terminal.cursor_hidden


def test_a_narrower_terminal_is_noticed(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(LONG, columns=100)
    terminal.wait_for(lambda text: "running (" in text)
    terminal.resize(40, 50)
    # 40 columns do not hold the line: its end goes to the next one.
    terminal.wait_for(lambda text: bool(re.search(r"2/2 VUs\n\d+ complete and 0 interrupted", text)))
    terminal.press(b"\x03")
    assert terminal.finish() == 105


def test_a_run_that_ends_before_the_first_frame_draws_nothing_and_imports_no_rich(
    run_on_terminal: Any, tmp_path: Path
) -> None:
    """The first frame is put off, for on a busy machine no run is certain to end before it."""
    put_off = "import jsrunner.ui.live\njsrunner.ui.live._FIRST_FRAME = 3600.0\n"
    (tmp_path / "sitecustomize.py").write_text(put_off)
    terminal = run_on_terminal(SHORT, PYTHONPATH=str(tmp_path), PYTHONPROFILEIMPORTTIME="1")
    assert terminal.finish() == 0
    assert HIDE not in terminal.raw
    assert b"jsrunner.ui.live" in terminal.raw
    assert b"rich" not in terminal.raw
    text = terminal.text()
    assert re.search(r"running \(00m0\d\.\ds\), 0/1 VUs, 1 complete and 0 interrupted", text)
    assert re.search(r"default ✓ \[ 100% \] 1 VUs  00m0\d\.\ds/10m0s  1/1 iters, 1 per VU", text)


def test_values_are_coloured(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(SHORT)
    assert terminal.finish() == 0
    assert b"execution: \x1b[36mlocal\x1b[0m" in terminal.raw


@pytest.mark.parametrize(
    ("flags", "environment"),
    [(["--no-color"], {}), ([], {"NO_COLOR": ""}), ([], {"K6_NO_COLOR": "true"})],
    ids=["flag", "NO_COLOR", "K6_NO_COLOR"],
)
def test_colours_can_be_switched_off(
    run_on_terminal: Any, gate: Any, flags: list[str], environment: dict[str, str]
) -> None:
    terminal = run_on_terminal(TALKING, f"--env=GATE={gate.url}", *flags, **environment)
    terminal.wait_for(lambda _: HIDE in terminal.raw)
    gate.open()
    assert terminal.finish() == 0
    assert not COLOR.search(terminal.raw)


def test_a_dumb_terminal_gets_plain_lines(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(TALKING, "--no-color", TERM="dumb")
    assert terminal.finish() == 0
    assert b"\x1b" not in terminal.raw
    assert PLAIN_END.search(terminal.text())


def test_samples_on_standard_output_keep_the_display_from_drawing(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(TALKING, "--out=json")
    assert terminal.finish() == 0
    assert HIDE not in terminal.raw
    assert PLAIN_END.search(terminal.text())


def test_quiet_shows_nothing_but_the_summary(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(SHORT, "--quiet", "--no-color")
    assert terminal.finish() == 0
    written = terminal.raw.decode().replace("\r\n", "\n")
    assert written.startswith("\n  █ TOTAL RESULTS \n")
    assert "\x1b" not in written


def test_a_pipe_gets_plain_lines(run_on_pipe: Callable[..., Any]) -> None:
    done = run_on_pipe(TALKING)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    head, _, rest = done.stdout.partition("     execution: local\n")
    assert "0.1.0" in head
    progress = rest.partition("  █ TOTAL RESULTS")[0]
    assert re.fullmatch(
        r"        script: \S+/script\.js\n"
        r"        output: -\n"
        r"\n"
        r"     scenarios: \(100\.00%\) 1 scenario, 2 max VUs, 10m30s max duration "
        r"\(incl\. graceful stop\):\n"
        r"              \* default: 20 iterations shared among 2 VUs "
        r"\(maxDuration: 10m0s, gracefulStop: 30s\)\n"
        r"\n"
        r"(\nrunning \(00m0\d\.\ds\), \d/2 VUs, \d+ complete and 0 interrupted iterations\n"
        r"default   \[ +\d+% \] 2 VUs  00m0\d\.\ds/10m0s  \d\d/20 shared iters\n)*"
        r"\nrunning \(00m0\d\.\ds\), 0/2 VUs, 20 complete and 0 interrupted iterations\n"
        r"default ✓ \[ 100% \] 2 VUs  00m0\d\.\ds/10m0s  20/20 shared iters\n"
        r"\n",
        progress,
    )
    assert len(done.stderr.splitlines()) == done.stderr.count('msg="iteration') == 20


def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path: Any) -> None:
    path = tmp_path / "script.js"
    path.write_text(SHORT)
    words = [sys.executable, "-m", "jsrunner", "run", "--summary-mode=disabled", str(path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(DEADLINE) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_the_panel_shows_the_errors_of_the_script_with_their_counts(run_on_terminal: Any) -> None:
    terminal = run_on_terminal(
        """
        import { sleep } from 'k6';
        export const options = { vus: 2, duration: '1h' };
        export default function () { sleep(0.1); throw new Error(`VU ${__VU} has failed`); }
        """,
        columns=40,
    )
    terminal.wait_for(lambda text: bool(re.search(r"^ +\d+ x  Error: VU \d has failed", text, re.M)))
    terminal.press(b"\x03")
    assert terminal.finish() == 105


#: Sends and receives messages, and fails in each iteration.
FAILING_ECHO = """
import ws from 'k6/ws';
export const options = { vus: 2, duration: '1h' };
export default function () {
  ws.connect(__ENV.URL, null, (socket) => {
    socket.on('open', () => socket.send('x'));
    socket.on('message', (text) => socket.setTimeout(() => socket.send(text), 20));
    socket.setTimeout(() => socket.close(), 300);
  });
  throw new Error('no answer from the room');
}
"""
SPARKLINE = re.compile(r"^  messages in +([▁▂▃▄▅▆▇█]{3,})$", re.MULTILINE)


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["color", "NO_COLOR"])
def test_sparklines_and_errors_fit_40_columns(
    run_on_terminal: Any, echo: str, environment: dict[str, str]
) -> None:
    terminal = run_on_terminal(
        FAILING_ECHO, f"--env=URL={echo}", "--log-output=none", columns=40, **environment
    )
    parts = (
        SPARKLINE,
        re.compile(r"^  messages out +[▁▂▃▄▅▆▇█]{3,}$", re.MULTILINE),
        re.compile(r"^  +\d+ x  Error: no answer from the ", re.MULTILINE),
        re.compile(r"\binterrupted\b"),
    )
    terminal.wait_for(lambda text: all(part.search(text) for part in parts))  # the frame is whole
    frame = terminal.text()
    assert max(map(len, terminal.lines())) <= 40
    terminal.press(b"\x03")
    assert terminal.finish() == 105
    assert bool(COLOR.search(terminal.raw)) is not bool(environment)
    # The last frame has neither; no earlier frame is left behind.
    assert not SPARKLINE.search(terminal.text())
    assert terminal.text().count("interrupted") == frame.count("interrupted") == 1


def test_a_courses_line_grows_with_the_terminal(run_on_terminal: Any, echo: str) -> None:
    """Sparklines show the seconds for which there is room."""
    terminal = run_on_terminal(FAILING_ECHO, f"--env=URL={echo}", "--log-output=none", columns=22)
    terminal.wait_for(
        lambda text: bool(re.search(r"^  messages in +[▁▂▃▄▅▆▇█]{4}$", text, re.MULTILINE))
    )
    terminal.resize(100, 50)
    terminal.wait_for(
        lambda text: bool(re.search(r"^  messages in +[▁▂▃▄▅▆▇█]{5,}$", text, re.MULTILINE))
    )
    terminal.press(b"\x03")
    assert terminal.finish() == 105


@pytest.mark.parametrize(
    "variables", [{}, {"CI": "true", "GITHUB_ACTIONS": "true", "TERM": "xterm-256color"}]
)
def test_the_log_of_ci_has_plain_lines(
    run_on_pipe: Callable[..., Any],
    echo: str,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No escape sequences, no sparklines, no block of errors: the log itself has each error."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = run_on_pipe(FAILING_ECHO.replace("1h", "4s"), f"--env=URL={echo}")
    assert done.returncode == 0
    assert not re.search(r"[\x1b▁▂▃▄▅▆▇]", done.stdout + done.stderr)
    assert not re.search(r"\d x  Error", done.stdout)
    assert done.stdout.count("running (") >= 3
    assert done.stderr.count("Error: no answer from the room") >= 2
