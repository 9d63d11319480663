"""k6's variables of its web dashboard: which page, record and report they make."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from waiting import DEADLINE, until

from jsrunner.cli.live_page import step_length, web_address
from jsrunner.errors import UsageError
from jsrunner.options.runtime import Dashboard
from jsrunner.record.reader import read
from jsrunner.ui.log import Logger

ROOT = Path(__file__).parents[2]
SCRIPT = """
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';
const count = new Counter('my_count');
export const options = { vus: 1, duration: '5s' };
export default function () { count.add(1, { room: 'a', floor: '1' }); sleep(0.1); }
"""
SHORT = SCRIPT.replace("5s", "1s")


def run(
    folder: Path, *flags: str, script: str = SHORT, **variables: str
) -> subprocess.CompletedProcess[str]:
    (folder / "script.js").write_text(script)
    return subprocess.run(
        [sys.executable, "-m", "jsrunner", "run", "-q", "--log-format=raw", *flags, "script.js"], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables}, capture_output=True, text=True, timeout=DEADLINE,
        check=False,
    )  # fmt: skip


def dashboard(**variables: Any) -> dict[str, str]:
    return {f"K6_WEB_DASHBOARD_{name}": str(value) for name, value in variables.items()}


def opener(folder: Path, program: str) -> str:
    """A PATH whose first program of the desktop's opener is this shell script."""
    folder.mkdir()
    name = folder / ("open" if sys.platform == "darwin" else "xdg-open")
    name.write_text(f"#!/bin/sh\n{program}\n")
    name.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("web", "settings", "address"),
    [
        ("127.0.0.1:80", Dashboard(host="h", port="1"), ("127.0.0.1", 80)),
        (":80", Dashboard(), ("127.0.0.1", 80)),
        ("[::1]:80", Dashboard(), ("::1", 80)),
        (None, Dashboard(), ("127.0.0.1", 5665)),
        (None, Dashboard(host="0.0.0.0", port="0"), ("0.0.0.0", 0)),
        (None, Dashboard(port="-1"), None),
    ],
)
def test_the_address_of_the_page(
    web: str | None, settings: Dashboard, address: tuple[str, int] | None
) -> None:
    assert web_address(web, settings) == address


@pytest.mark.parametrize("port", ["abc", "65536", "-2", "1.5", "٣"])
def test_what_is_no_port(port: str) -> None:
    with pytest.raises(UsageError, match=r"invalid address .* of the live page, it is HOST:PORT"):
        web_address(None, Dashboard(port=port))


@pytest.mark.parametrize(
    ("period", "length", "warning"),
    [
        ("1s", 1, ""),
        ("1m30s", 90, ""),
        ("500ms", 1, "K6_WEB_DASHBOARD_PERIOD is 500ms, steps have whole seconds: 1s"),
        ("2.5s", 3, "K6_WEB_DASHBOARD_PERIOD is 2.5s, steps have whole seconds: 3s"),
    ],
)
def test_the_period_is_the_length_of_a_step(period: str, length: int, warning: str) -> None:
    logger, texts = Logger(output="none"), []
    logger.listeners.append(lambda level, text, moment, fields: texts.append(text))
    assert step_length(Dashboard(period=period), logger) == length
    assert texts == ([warning] if warning else [])


@pytest.mark.parametrize("period", ["abc", "5", "0s", "-1s", ""])
def test_what_is_no_period(period: str) -> None:
    with pytest.raises(UsageError, match=r"invalid duration .* of K6_WEB_DASHBOARD_PERIOD"):
        step_length(Dashboard(period=period), Logger(output="none"))


@pytest.mark.slow
def test_period_and_tags_are_in_the_record(tmp_path: Path) -> None:
    done = run(tmp_path, script=SCRIPT, **dashboard(RECORD="run.jsr", PERIOD="2s", TAGS="room,group"))
    assert (done.returncode, done.stderr) == (0, "")
    record = read(str(tmp_path / "run.jsr"))
    assert record.run["split_tags"] == ["room", "group"]
    assert {step.seconds for step in record.steps[:-1]} == {2}
    assert [step.at % 2 for step in record.steps] == [0] * len(record.steps)
    assert record.steps[-1].seconds <= 2


@pytest.mark.slow
def test_names_of_k6_for_record_and_report(tmp_path: Path) -> None:
    run(tmp_path, **dashboard(RECORD="a.jsr", REPORT="a.html"))
    assert read(str(tmp_path / "a.jsr")).end is not None
    assert (tmp_path / "a.html").is_file()
    run(tmp_path, "--save=b.jsr", "--report=b.html", **dashboard(RECORD="c.jsr", REPORT="c.html"))
    assert {path.name for path in tmp_path.iterdir()} == {
        "script.js",
        "a.jsr",
        "a.html",
        "b.jsr",
        "b.html",
    }


@pytest.mark.slow
def test_the_browser_is_opened_with_the_address(tmp_path: Path) -> None:
    """The opener never ends by itself: the run does not wait for it."""
    path = opener(tmp_path / "bin", f'echo "$1" > {tmp_path}/opened; exec sleep 30')
    done = run(tmp_path, "--web=127.0.0.1:0", PATH=path, **dashboard(OPEN="true"))
    assert done.returncode == 0
    opened = tmp_path / "opened"
    address = until(lambda: opened.exists() and opened.read_text(), "the opener")
    assert f"The run is shown at {address}" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "reason"), [("exit 3", "exit code 3"), (None, "no such file or directory")]
)
def test_a_browser_that_cannot_be_opened_is_a_warning(
    tmp_path: Path, program: str | None, reason: str
) -> None:
    path = str(tmp_path) if program is None else opener(tmp_path / "bin", program)
    script = SCRIPT.replace("5s", "3s")  # the opener ends before the run
    done = run(tmp_path, "--web=127.0.0.1:0", script=script, PATH=path, **dashboard(OPEN="true"))
    assert done.returncode == 0
    assert f"could not open a browser with xdg-open: {reason}" in done.stderr


@pytest.mark.slow
def test_only_true_opens_a_browser(tmp_path: Path) -> None:
    path = opener(tmp_path / "bin", f"touch {tmp_path}/opened")
    assert run(tmp_path, "--web=127.0.0.1:0", PATH=path, **dashboard(OPEN="yes")).returncode == 0
    assert not (tmp_path / "opened").exists()


@pytest.mark.slow
def test_the_configuration_file_turns_the_page_on(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"webDashboard": True}))
    for variables, is_shown in (
        ({}, True),
        ({"K6_WEB_DASHBOARD": "false"}, False),
        (dashboard(PORT=-1), False),
    ):
        done = run(tmp_path, "--config=config.json", **(dashboard(PORT=0) | variables))  # type: ignore[arg-type]
        assert done.returncode == 0
        assert ("The run is shown at http://127.0.0.1:" in done.stderr) is is_shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "code", "text"),
    [
        (dashboard(PORT="abc"), 255, "invalid address 127.0.0.1:abc of the live page"),
        (dashboard(PERIOD="soon"), 255, "invalid duration 'soon' of K6_WEB_DASHBOARD_PERIOD"),
        (
            {"K6_WEB_DASHBOARD": "yes"},
            104,
            "converting 'yes' to type null.Bool. details: invalid input:yes",
        ),
    ],
)
def test_wrong_variables_are_refused(
    tmp_path: Path, variables: dict[str, str], code: int, text: str
) -> None:
    done = run(tmp_path, **({"K6_WEB_DASHBOARD": "true"} | variables))
    assert done.returncode == code
    assert text in done.stderr
