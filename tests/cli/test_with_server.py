"""`jsrunner run --with-server`: the bundled server for the time of a run."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from waiting import DEADLINE

pytestmark = pytest.mark.slow

RUN = [sys.executable, "-m", "jsrunner", "run", "--with-server", "--quiet"]

ECHO = (Path(__file__).parent / "echo.js").read_text()

# Says where the server is as soon as it is spoken to, and runs until it is stopped.
ENDLESS = (Path(__file__).parent / "endless.js").read_text()


def listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), DEADLINE).close()
    except ConnectionRefusedError:
        return False
    return True


def run(folder: Path, source: str, *words: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    (folder / "script.js").write_text(source)
    return subprocess.run(
        [*RUN, *words, "script.js"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        **settings,
    )


class Started:
    """A run of ENDLESS whose server listens."""

    def __init__(self, folder: Path) -> None:
        (folder / "script.js").write_text(ENDLESS)
        self.process = subprocess.Popen(
            [*RUN, "--log-format=raw", "script.js"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.url = self.process.stderr.readline().strip()
        assert listens(self.url)

    def server_id(self) -> int:
        """The process that the run has started in a session of its own."""
        run = str(self.process.pid)
        for name in os.listdir("/proc"):
            if name.isdecimal():
                try:
                    with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                        _, parent, _, session = file.read().rpartition(")")[2].split()[:4]
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if parent == run and session == name:
                    return int(name)
        raise AssertionError("there is no such process")

    def end(self) -> tuple[int, str]:
        """Exit code and what was logged."""
        _, log = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, log


def test_the_script_gets_the_urls_and_the_server_goes(tmp_path: Path) -> None:
    done = run(tmp_path, ECHO, "--log-format=raw")
    assert done.returncode == 0, done.stderr
    urls = json.loads(done.stderr)
    assert [urlsplit(one).scheme for one in urls] == ["ws", "http", "wss", "https"]
    assert not any(map(listens, urls))


def test_given_variables_win(tmp_path: Path) -> None:
    source = "export default function () { console.log(__ENV.WS_URL, typeof __ENV.HTTP_URL); }"
    environment = {**os.environ, "WS_URL": "ws://system"}
    done = run(tmp_path, source, "--log-format=raw", env=environment)
    assert done.stderr.startswith("ws://127.0.0.1:")
    done = run(tmp_path, source, "--log-format=raw", "-e", "WS_URL=ws://mine", env=environment)
    assert done.stderr == "ws://mine string\n"


def test_without_it_there_is_no_url(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(
        "export default function () { console.log(typeof __ENV.WS_URL); }"
    )
    done = subprocess.run(
        [*(one for one in RUN if one != "--with-server"), "--log-format=raw", "script.js"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.stderr == "undefined\n"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("throw new Error('at once');", 107),
        ("export const options = { vus: -1 }; export default function () {}", 104),
        (
            "import { check } from 'k6';"
            "export const options = { thresholds: { checks: ['rate==1'] } };"
            "export default function () { check(0, { no: () => false }); }",
            99,
        ),
    ],
)
def test_runs_that_fail_end_as_without_it(tmp_path: Path, source: str, code: int) -> None:
    assert run(tmp_path, source).returncode == code


def test_ctrl_c_leaves_the_server_to_teardown(tmp_path: Path) -> None:
    started = Started(tmp_path)
    started.process.send_signal(signal.SIGINT)
    code, log = started.end()
    assert code == 105
    assert "teardown: 101" in log
    assert not listens(started.url)


def test_a_run_that_is_killed_takes_the_server_with_it(tmp_path: Path) -> None:
    started = Started(tmp_path)
    server = os.pidfd_open(started.server_id())
    started.process.kill()
    assert select.select([server], [], [], DEADLINE)[0]
    os.close(server)
    started.end()
    assert not listens(started.url)


def test_a_server_that_dies_ends_the_run(tmp_path: Path) -> None:
    started = Started(tmp_path)
    os.kill(started.server_id(), signal.SIGKILL)
    code, log = started.end()
    assert code == 255
    assert "the bundled server has ended (signal 9); the run is not complete" in log
