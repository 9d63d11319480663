"""The live page of a run: what it shows, whom it serves, and that viewers cost the run nothing."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chromium import Chromium, chromium
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

SCRIPT = """
import { sleep } from 'k6';
import { Trend } from 'k6/metrics';
const time = new Trend('my_time', true);
export const options = { vus: 2, duration: '1h', thresholds: { my_time: ['p(95)<1'] } };
export default function () {
  time.add(5, { room: '<img src=x>' });
  if (__ITER === 0) console.error('<img src=x onerror=alert(1)>');
  sleep(0.05);
}
"""


class Live:
    """A run with a page."""

    def __init__(self, folder: Path, *flags: str, script: str = SCRIPT, **variables: str) -> None:
        (folder / "script.js").write_text(script)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jsrunner", "run", "-q", "--log-format=raw", *flags, "script.js"],
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables}, cwd=folder, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stderr is not None
        lines = iter(self.process.stderr.readline, "")
        self.url = next(line.split(" at ")[1].strip() for line in lines if "is shown at" in line)
        self.port = int(re.search(r":(\d+)/", self.url)[1])  # type: ignore[index]

    def request(
        self, method: str, path: str, **headers: str
    ) -> tuple[int, str, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, answer.headers

    def end(self) -> int:
        """Stop the run; its exit code."""
        status, body, _ = self.request("POST", "/stop")
        assert (status, body) == (200, "")
        return self.process.wait(DEADLINE)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    runs: list[Live] = []

    def start(*flags: str, **more: Any) -> Live:
        runs.append(Live(tmp_path, *flags, **more))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def browser() -> Iterator[Chromium]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium, or name one in JSRUNNER_CHROMIUM")
    opened = Chromium(program)
    yield opened
    complaints = opened.take_complaints()
    opened.close()
    assert complaints == []


def test_a_browser_follows_and_stops_a_run(live: Callable[..., Live], browser: Chromium) -> None:
    run = live("--web=127.0.0.1:0")
    browser.open(run.url)
    browser.wait("document.body.innerText.includes('my_time')")
    browser.wait("document.querySelector('#verdict').textContent.startsWith('Running, ✗')")
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    assert "<img src=x onerror=alert(1)>" in browser.evaluate("document.body.innerText")
    browser.evaluate("document.querySelector('#stop').click()")
    assert run.process.wait(DEADLINE) == 103
    browser.wait("document.querySelector('#verdict').textContent === '✗ Failed (exit code 103)'")


def test_a_browser_starts_a_paused_test(live: Callable[..., Live], browser: Chromium) -> None:
    run = live("--web=127.0.0.1:0", "--paused", script=SCRIPT.replace("1h", "1s"))
    browser.open(run.url)
    browser.wait("!document.querySelector('#resume').hidden")
    browser.evaluate("document.querySelector('#resume').click()")
    assert run.process.wait(DEADLINE) == 99
    assert run.process.stderr is not None
    assert "only the REST API" not in run.process.stderr.read()


def test_the_events_are_the_record(live: Callable[..., Live]) -> None:
    run = live("--web=127.0.0.1:0", script=SCRIPT.replace("1h", "2s"))
    status, body, headers = run.request("GET", "/events")
    assert (status, headers["Content-Type"]) == (200, "text/event-stream")
    lines = [
        json.loads(line.removeprefix("data: "))
        for line in body.splitlines()
        if line.startswith("data: ")
    ]
    assert lines[0]["format"] == "jsrunner-record"
    assert (lines[-1]["kind"], lines[-1]["code"]) == ("end", 99)
    assert run.process.wait(DEADLINE) == 99


def test_several_viewers_see_the_same_from_the_first_second(live: Callable[..., Live]) -> None:
    """Steps of a second; the 33rd viewer is refused, and the 32 others go on."""
    run = live("--web=127.0.0.1:0")
    viewers = [socket.create_connection(("127.0.0.1", run.port), timeout=DEADLINE) for _ in range(32)]
    for viewer in viewers:
        viewer.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert viewer.recv(12) == b"HTTP/1.1 200"  # it has been counted
    assert run.request("GET", "/events")[:2] == (503, "too many viewers")
    seen = b""
    while b'"at":3,' not in seen:
        seen += viewers[0].recv(1 << 16)
    assert run.end() == 103
    texts = []
    for viewer in viewers:
        pieces = [seen] if viewer is viewers[0] else []
        while piece := viewer.recv(1 << 16):
            pieces.append(piece)
        viewer.close()
        _, _, events = b"".join(pieces).partition(b"\r\n\r\n")
        texts.append(events.replace(b":\n\n", b""))
    assert len(set(texts)) == 1
    told = [json.loads(line[6:]) for line in texts[0].splitlines() if line.startswith(b"data: {")]
    steps = [line["at"] for line in told if line.get("kind") == "step"]
    assert steps[:4] == [0, 1, 2, 3]


def test_a_viewer_that_reads_nothing_holds_nobody_up(live: Callable[..., Live]) -> None:
    run = live("--web=127.0.0.1:0")
    with socket.create_connection(("127.0.0.1", run.port)) as viewer:
        viewer.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert run.end() == 103


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200), ({"Host": "localhost"}, 200), ({"Host": "[::1]:80"}, 200), ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403), ({"Host": "["}, 400), ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)  # fmt: skip
def test_only_pages_of_this_machine_are_served(run: Live, headers: dict[str, str], status: int) -> None:
    for path in ("/", "/nothing"):
        expected = 404 if (path, status) == ("/nothing", 200) else status
        found, _, answer = run.request("GET", path, **headers)
        assert found == expected
        assert "Access-Control-Allow-Origin" not in answer
    if status != 200:
        assert run.request("POST", "/stop", **headers)[0] == status
        assert run.process.poll() is None


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    started = Live(tmp_path_factory.mktemp("run"), "--web=127.0.0.1:0")
    yield started
    started.close()


def test_headers_of_the_page(run: Live) -> None:
    _, body, headers = run.request("GET", "/")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "connect-src 'self'" in body
    assert run.request("POST", "/nothing")[0] == 404
    assert run.request("POST", "/resume")[:2] == (409, "the test is not paused")


def test_other_machines_need_the_token(live: Callable[..., Live]) -> None:
    run = live("--web=0.0.0.0:0")
    token = run.url.partition("?")[2]
    assert len(token) > 30
    assert run.request("GET", "/")[0] == 403
    assert run.request("GET", "/?token=wrong", Host="localhost")[0] == 403
    assert run.request("GET", f"/?{token}", Host="my.example")[0] == 200
    assert run.request("POST", "/stop?token=")[0] == 403
    assert run.request("POST", f"/stop?{token}")[0] == 200
    assert run.process.wait(DEADLINE) == 103


def test_the_variables_of_k6(live: Callable[..., Live]) -> None:
    run = live(K6_WEB_DASHBOARD="true", K6_WEB_DASHBOARD_PORT="0", K6_WEB_DASHBOARD_HOST="127.0.0.1")
    assert run.request("GET", "/")[0] == 200
    assert run.end() == 103


def test_addresses_that_nobody_can_listen_at(live: Callable[..., Live], tmp_path: Path) -> None:
    run = live("--web=127.0.0.1:0")
    for address, code, text in (
        (f"127.0.0.1:{run.port}", 106, "cannot be served"), ("nonsense", 255, "invalid address"),
        ("127.0.0.1:99999", 255, "invalid address"),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "jsrunner", "run", "-q", f"--web={address}", "script.js"], cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=DEADLINE, check=False,
        )  # fmt: skip
        assert done.returncode == code
        assert text in done.stderr
