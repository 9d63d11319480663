"""The REST API of runs in real processes."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

    Start = Callable[..., Process]

SCRIPT = (Path(__file__).parent / "steered.js").read_text()


class Api:
    """The API of a process."""

    def __init__(self, process: Process) -> None:
        process.wait_for("The REST API listens on port ")
        found = re.search(r"listens on port (\d+)", process.stderr)
        assert found is not None
        self.port = int(found[1])

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """(status, content type, text)."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection.request(method, path, data)
        with connection.getresponse() as response:
            found = response.status, response.headers["Content-Type"], response.read().decode()
        connection.close()
        return found

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        status, content_type, text = self.raw(method, path, body)
        assert content_type == "application/json; charset=utf-8"
        found = json.loads(text)
        if "errors" in found:
            (error,) = found["errors"]
            assert error["status"] == str(status)
            return status, error["title"], error["detail"]
        assert status == 200
        return found["data"]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self("GET", "/v1/status")["attributes"]
        return found

    def change(self, **attributes: Any) -> Any:
        named = {name.replace("_", "-"): value for name, value in attributes.items()}
        body = {"data": {"type": "status", "id": "default", "attributes": named}}
        return self("PATCH", "/v1/status", body)


@pytest.fixture
def begin(start: Start) -> Callable[..., tuple[Process, Api]]:
    def begin(*flags: str, script: str = SCRIPT, **more: Any) -> tuple[Process, Api]:
        process = start(script, "--address", "127.0.0.1:0", "--verbose", *flags, **more)
        return process, Api(process)

    return begin


Begin = "Callable[..., tuple[Process, Api]]"


@pytest.mark.slow
def test_state_of_a_run(begin: Begin) -> None:
    process, api = begin()
    process.wait_for("iterating")
    until(lambda: api.status()["status"] == 7, "running")
    assert api("GET", "/v1/status") == {
        "type": "status",
        "id": "default",
        "attributes": {
            "status": 7, "paused": False, "vus": 1, "vus-max": 1, "stopped": False, "running": True,
            "tainted": False,
        },
    }  # fmt: skip
    until(lambda: any(one["id"] == "took" for one in api("GET", "/v1/metrics")), "samples")
    assert api("GET", "/v1/metrics/took") == {
        "type": "metrics",
        "id": "took",
        "attributes": {
            "type": "trend", "contains": "time", "tainted": None,
            "sample": {"avg": 4, "min": 4, "med": 4, "max": 4, "p(90)": 4, "p(95)": 4},
        },
    }  # fmt: skip
    assert api("GET", "/v1/metrics/level")["attributes"]["sample"] == {"value": 3}
    assert api("GET", "/v1/metrics/checks")["attributes"]["sample"] == {"rate": 1}
    assert set(api("GET", "/v1/metrics/things")["attributes"]["sample"]) == {"count", "rate"}
    until(lambda: api.status()["tainted"], "the thresholds' judgement")
    assert api("GET", "/v1/metrics/took")["attributes"]["tainted"] is True
    assert api("GET", "/v1/metrics/things")["attributes"]["tainted"] is False
    assert api("GET", "/v1/metrics/none") == (404, "Not Found", "No metric with that ID was found")
    api.change(stopped=True)
    assert process.end().code == 103


@pytest.mark.slow
def test_groups(begin: Begin) -> None:
    process, api = begin()
    until(lambda: len(api("GET", "/v1/groups")) == 3, "groups")
    ids = {path: hashlib.md5(path.encode()).hexdigest() for path in ("", "::outer", "::outer::inner")}
    root, outer, inner = api("GET", "/v1/groups")
    assert [one["id"] for one in (root, outer, inner)] == list(ids.values())
    assert root["attributes"] == {"path": "", "name": "", "checks": []}
    assert root["relationships"]["parent"] == {"data": None}
    assert outer["relationships"] == {
        "groups": {"data": [{"type": "groups", "id": ids["::outer::inner"]}]},
        "parent": {"data": {"type": "groups", "id": ids[""]}},
    }
    found = api("GET", f"/v1/groups/{ids['::outer::inner']}")
    (check,) = found["attributes"]["checks"]
    path = "::outer::inner::there is data"
    assert (check["name"], check["path"]) == ("there is data", path)
    assert check["id"] == hashlib.md5(path.encode()).hexdigest()
    assert check["passes"] > 0
    assert check["fails"] == 0
    assert api("GET", "/v1/groups/none") == (404, "Not Found", "No group with that ID was found")
    process.signal(signal.SIGINT)
    assert process.end().code == 105


def test_stopping(begin: Begin) -> None:
    process, api = begin()
    process.wait_for("iterating")
    assert api.change(stopped=True)["attributes"]["stopped"]
    done = process.end()
    assert done.code == 103
    assert "test run stopped from REST API" in done.messages("error")
    assert 'teardown {"given":"by setup"}' in done.messages()
    assert "things" in done.stdout


def test_start_of_a_paused_test(begin: Begin) -> None:
    process, api = begin("--paused", "--iterations", "1", "--duration", "10s")
    process.wait_for("Execution is paused, waiting for resume or interrupt...")
    status = api.status()
    assert (status["status"], status["paused"], status["running"], status["vus-max"]) == (
        4,
        True,
        False,
        1,
    )
    assert not process.said("iterating")
    assert api.change(paused=True) == (500, "Pause error", "execution is already paused")
    assert api.change(paused=False)["attributes"]["paused"] is False
    assert process.end().messages().count("iterating") == 1
    assert process.code == 99


def test_pausing_a_test_that_runs(begin: Begin) -> None:
    process, api = begin()
    process.wait_for("iterating")
    text = "constant-vus executor 'default' doesn't support pause and resume operations after its start"
    assert api.change(paused=True) == (500, "Pause error", text)
    assert api.change(paused=False) == (500, "Pause error", text)
    vus = (500, "Execution config error", "live VU configuration updates are not supported")
    assert api.change(vus=5) == vus
    assert api.change(vus_max=5) == vus
    api.change(stopped=True)
    process.end()


@pytest.mark.parametrize("what", ["signal", "stop"])
def test_end_of_a_paused_test(begin: Begin, what: str) -> None:
    process, api = begin("--paused")
    process.wait_for("Execution is paused")
    if what == "signal":
        process.signal(signal.SIGTERM)
    else:
        api.change(stopped=True)
    assert process.end().code == (105 if what == "signal" else 103)
    assert not process.said("iterating")
    assert not process.said("teardown")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"data":{"attributes":7}}',
        b'{"data":{"attributes":{"paused":1}}}',
        b'{"data":{"attributes":{"vus":"many"}}}',
    ],
)
def test_wrong_bodies(begin: Begin, body: bytes) -> None:
    process, api = begin("--paused")
    process.wait_for("Execution is paused")
    status, title, _ = api("PATCH", "/v1/status", body)
    assert (status, title) == (400, "Invalid data")
    api.change(stopped=True)
    process.end()


def test_setup_data(begin: Begin) -> None:
    process, api = begin("--paused", "--no-setup")
    process.wait_for("Execution is paused")
    assert api("GET", "/v1/setup") == {"type": "setupData", "id": "default", "attributes": {}}
    status, title, _ = api("PUT", "/v1/setup", b"{nonsense")
    assert (status, title) == (400, "Error parsing request body")
    document = {"type": "setupData", "id": "default", "attributes": {"data": {"given": "over HTTP"}}}
    assert api("PUT", "/v1/setup", {"given": "over HTTP"}) == document
    assert api("GET", "/v1/setup") == document
    api.change(paused=False)
    process.wait_for("iterating")
    data = api("POST", "/v1/setup")["attributes"]["data"]
    assert data == {"given": "by setup"}
    assert api.raw("POST", "/v1/teardown")[::2] == (200, "")
    process.wait_for('teardown {"given":"by setup"}')
    api.change(stopped=True)
    process.end()


def test_setup_that_fails(begin: Begin) -> None:
    script = "export function setup() { throw new Error('no'); }\n" + SCRIPT.replace(
        "function setup", "function f"
    )
    process, api = begin("--paused", script=script)
    process.wait_for("Execution is paused")
    status, title, text = api("POST", "/v1/setup")
    assert (status, title) == (500, "Error executing setup")
    assert "Error: no" in text
    api.change(stopped=True)
    process.end()


SLOW = """
import { sleep } from 'k6';
export const options = { vus: 1, duration: '1h', noSetup: true };
export function setup() { console.log('setup has begun'); sleep(3600); }
export default function () { sleep(0.05); }
"""


def test_signal_while_setup_runs_over_the_api(begin: Begin) -> None:
    process, api = begin(script=SLOW)
    until(lambda: api.status()["status"] == 7, "running")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(api, "POST", "/v1/setup")
        process.wait_for("setup has begun")
        assert api.status()["running"]
        _, title, text = api("POST", "/v1/setup")
        assert title == "Error executing setup"
        assert text == "setup() cannot run now: a setup() or teardown() is running"
        process.signal(signal.SIGINT)
        assert process.end().code == 105
        assert answer.result() == (500, "Error executing setup", "the test was stopped")


def test_other_paths(begin: Begin) -> None:
    process, api = begin("--paused")
    process.wait_for("Execution is paused")
    text = "text/plain; charset=utf-8"
    for path in ("/ping", "/", "/else", "/ping?x=1"):
        assert api.raw("GET", path) == (200, text, "ok")
    assert api.raw("GET", "/v1/else") == (404, text, "404 page not found\n")
    for method, path in (("POST", "/v1/status"), ("DELETE", "/v1/metrics"), ("GET", "/v1/teardown")):
        assert api.raw(method, path)[::2] == (405, "")
    status, _, metrics = api.raw("GET", "/metrics")
    assert status == 200
    values = dict(line.split() for line in metrics.splitlines() if not line.startswith("#"))
    assert float(values["process_resident_memory_bytes"]) > 1_000_000
    assert values["jsrunner_vus_max"] == "1"
    api.change(stopped=True)
    process.end()


def test_linger(begin: Begin) -> None:
    process, api = begin("--linger", "--iterations", "1", "--duration", "10s")
    until(lambda: api.status()["status"] == 9, "the end of the test")
    process.wait_for("waits for Ctrl+C")
    assert api("GET", "/v1/metrics/iterations")["attributes"]["sample"]["count"] == 1
    process.signal(signal.SIGINT)
    done = process.end()
    assert done.code == 99  # the run's own: a threshold has failed
    assert not done.said("signal")


def test_address_that_is_taken(run: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(SCRIPT, "--address", address)
    assert done.code == 106
    (record,) = done.records()
    assert (record["level"], record["msg"]) == ("error", "Error from API server")
    assert record["error"] == f"listen tcp {address}: bind: address already in use"


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("foo", "address foo: missing port in address"),
        ("[::1]", "address [::1]: missing port in address"),
        ("[::1", "address [::1: missing ']' in address"),
        ("::1:5", "address ::1:5: too many colons in address"),
        ("127.0.0.1:99999", "address 99999: invalid port"),
        ("127.0.0.1:-1", "address -1: invalid port"),
        ("127.0.0.1:many", "lookup tcp/many: unknown port"),
        ("a b:1", "lookup a b: no such host"),
        ("a" * 300 + ":1", "lookup " + "a" * 300 + ": no such host"),
    ],
)
def test_address_that_is_none(run: Start, address: str, error: str) -> None:
    """As k6 has it."""
    done = run(SCRIPT, env={"K6_ADDRESS": address})
    assert done.code == 106
    (record,) = done.records()
    assert (record["level"], record["msg"]) == ("error", "Error from API server")
    assert record["error"] == f"listen tcp: {error}"


HEAD = b"PATCH /v1/status HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        (b"garbage\r\n\r\n", 400, b"400 Bad Request"),
        (b"GET /\r\n\r\n", 400, b"400 Bad Request"),
        (b"GET / HTTP/9.9\r\n\r\n", 505, b"505 HTTP Version Not Supported"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, b"414 Request-URI Too Long"),
        (
            b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 300 + b"\r\n",
            431,
            b"431 Request Header Fields Too Large",
        ),
        (b"FOO /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n", 405, b""),
        (b"GET http://[::1/ HTTP/1.1\r\n\r\n", 400, b"http://[::1/ is no URL"),
        (HEAD + b"Content-Length: -5\r\n\r\n", 400, b"wrong Content-Length"),
        (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400, b"wrong Content-Length"),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, b"wrong Content-Length"),
        (HEAD + b"Content-Length: 50\r\n\r\nab", 400, b"unexpected EOF"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 400, b"it has no Content-Length"),
    ],
)
def test_what_is_no_http(begin: Begin, data: bytes, status: int, text: bytes) -> None:
    process, api = begin()
    with socket.create_connection(("127.0.0.1", api.port), timeout=DEADLINE) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert text in answer
    assert b"Python" not in answer
    api.change(stopped=True)
    assert process.end().code == 103


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "unexpected end of JSON input"),
        (b"{", "unexpected end of JSON input"),
        (b"\xff", "invalid character 'ÿ' looking for beginning of value"),
        (b"[" * 100_000, "the JSON is nested too deeply"),
        (b"[]", "json: cannot unmarshal array into Go value of type v1.StatusJSONAPI"),
        (b'{"data": 5}', "json: cannot unmarshal number into Go value of type v1.statusData"),
        (
            b'{"data": {"attributes": "x"}}',
            "json: cannot unmarshal string into Go value of type v1.Status",
        ),
        (
            b'{"data": {"attributes": {"paused": "x"}}}',
            "json: cannot unmarshal string into Go value of type null.Bool",
        ),
        (b'{"data": {"attributes": {"vus": "x"}}}', 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
def test_status_documents_that_are_none(begin: Begin, body: bytes, detail: str) -> None:
    process, api = begin()
    assert api("PATCH", "/v1/status", body) == (400, "Invalid data", detail)
    if body.startswith((b"[[", b"\xff")):
        assert api("PUT", "/v1/setup", body) == (400, "Error parsing request body", detail)
    api.change(stopped=True)
    assert process.end().code == 103


def test_status_documents_that_change_nothing(begin: Begin) -> None:
    process, api = begin()
    for body in (b"null", b"{}", b'{"data": null}', b'{"data": {"attributes": {"vus": null}}}'):
        assert api("PATCH", "/v1/status", body)["attributes"]["stopped"] is False
    api.change(stopped=True)
    assert process.end().code == 103


def test_paused_without_the_api(start: Start) -> None:
    process = start(SCRIPT, "--paused")
    process.wait_for("The test is paused, and only the REST API (--address) resumes it")
    process.signal(signal.SIGINT)
    assert process.end().code == 105
