"""Secrets from an HTTP endpoint: a real server on this machine."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from jsrunner.errors import UsageError
from jsrunner.secrets.errors import SecretError
from jsrunner.secrets.sources import SecretSource, parse_sources
from jsrunner.secrets.url import UrlSource, parse_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Vault(BaseHTTPRequestHandler):
    #: What was asked: (method, path, headers).
    asked: ClassVar[list[tuple[str, str, dict[str, str]]]] = []
    #: Statuses of the next answers; 200 when there are none left.
    statuses: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        self.asked.append((self.command, self.path, dict(self.headers)))
        self.send_response(self.statuses.pop(0) if self.statuses else 200)
        body = json.dumps({"data": [{"value": f"secret of {self.path}", "number": 5}]}).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Vault.asked.clear()
    Vault.statuses.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Vault) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def source(spec: str, environment: dict[str, str] | None = None) -> SecretSource:
    return parse_sources([f"url={spec}"], environment or {}).find("url")


def test_whole_answer_and_a_part_of_it(url: str) -> None:
    whole = source(f"urlTemplate={url}/s/{{key}}").get("a b/c")
    assert json.loads(whole)["data"][0]["value"] == "secret of /s/a%20b/c"
    part = source(f"urlTemplate={url}/{{key}},responsePath=data.0.value,method=POST,headers.X-Key=k=1")
    assert part.get("x") == "secret of /x"
    method, _, headers = Vault.asked[-1]
    assert (method, headers["X-Key"]) == ("POST", "k=1")
    number = source(f"urlTemplate={url}/{{key}},responsePath=data.0.number")
    with pytest.raises(
        SecretError, match=r'secret value at path "data.0.number" is not a string \(got Number\)'
    ):
        number.get("x")


@pytest.mark.parametrize("status", [500, 503, 429])
def test_tries_again(url: str, status: int) -> None:
    Vault.statuses[:] = [status]
    patient = UrlSource(parse_settings([f"urlTemplate={url}/{{key}}", "retryBackoff=1ms"], {}))
    assert "secret of /x" in patient.get("x")
    assert len(Vault.asked) == 2


def test_gives_up(url: str) -> None:
    Vault.statuses[:] = [404, 500, 500]
    hasty = source(f"urlTemplate={url}/{{key}},maxRetries=0")
    for status in (404, 500):
        with pytest.raises(SecretError, match=f"^status code {status}: failed to get secret$"):
            hasty.get("x")
    missing = source(f"urlTemplate={url}/{{key}},maxRetries=0,responsePath=data.value")
    Vault.statuses.clear()
    with pytest.raises(
        SecretError, match=r'^failed to extract secret: path "data\.value" not found in'
    ):
        missing.get("x")


def test_nobody_there() -> None:
    text = 'failed to get secret: Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused'
    with pytest.raises(SecretError, match=f"^{text}$"):
        source("urlTemplate=http://127.0.0.1:1/{key},maxRetries=0").get("x")
    for key, text in (
        (
            "127.0.0.1:x",
            'failed to create request: parse "http://127.0.0.1:x/": invalid port ":x" after host',
        ),
        ("nowhere.invalid", "dial tcp: lookup nowhere.invalid: no such host"),
    ):
        with pytest.raises(SecretError, match=f"{text}$"):
            source("urlTemplate=http://{key}/,maxRetries=0").get(key)


def test_settings_come_from_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "url.json"
    path.write_text(
        json.dumps({"urlTemplate": "http://file/{key}", "timeout": "5s", "headers": {"X-A": "file"}})
    )
    environment = {
        "K6_SECRET_SOURCE_URL_URL_TEMPLATE": "http://env/{key}",
        "K6_SECRET_SOURCE_URL_METHOD": "POST",
        "K6_SECRET_SOURCE_URL_HEADER_X_B": "env",
        "K6_SECRET_SOURCE_URL_REQUESTS_BURST": "3",
    }
    found = parse_settings(["timeout=1m", f"config={path}", "maxRetries=7"], environment)
    assert found.url_template == "http://file/{key}"
    assert found.headers == {"X-A": "file"}
    assert parse_settings([], environment).headers == {"X_b": "env"}
    assert parse_settings(["headers.X-C=1", f"config={path}"], environment).headers == {"X-C": "1"}
    assert (found.method, found.burst, found.timeout, found.max_retries) == ("POST", 3, 60.0, 7)


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("nothing=1", 'unknown configuration key: "nothing"'),
        ("nothing", 'invalid config format "nothing", expected key=value'),
        ("timeout=5", 'invalid timeout: time: missing unit in duration "5"'),
        ("timeout=0s", "timeout must be greater than 0"),
        ("maxRetries=many", "invalid maxRetries: expected integer"),
        ("maxRetries=", "invalid maxRetries: EOF"),
        ("maxRetries=-1", "maxRetries must be non-negative"),
        ("retryBackoff=-1s", "retryBackoff must be greater than 0"),
        ("requestsBurst=0x", "requestsBurst must be greater than 0"),
        ("requestsPerMinuteLimit=0", "requestsPerMinuteLimit must be greater than 0"),
        (
            "config=/nowhere.json",
            "failed to open config file: open /nowhere.json: no such file or directory",
        ),
        ("urlTemplate=", "urlTemplate is required"),
        (
            "urlTemplate=http://x:y/{key}",
            'urlTemplate is not a valid URL: parse "http://x:y/test": invalid port ":y" after host',
        ),
        (
            "urlTemplate=http://[::1/{key}",
            "urlTemplate is not a valid URL: parse \"http://[::1/test\": missing ']' in host",
        ),
        ("urlTemplate=http://x/", "urlTemplate must contain {key} placeholder"),
        (
            "urlTemplate=/x/{key}",
            "urlTemplate must be an absolute URL with a scheme (e.g., https://...)",
        ),
    ],
)
def test_refusals(argument: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(f'missing or invalid config: {text}')}$"):
        parse_settings(["urlTemplate=http://x/{key}", argument], {})


def test_a_burst_passes_and_the_rest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that only waiting moves."""
    from jsrunner.secrets import url as module

    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "sleep", sleep)
    limit = module._Limit(5.0, 3)
    passed = []
    for _ in range(6):
        limit.wait()
        passed.append(round(now[0] - 100, 3))
    assert passed == [0, 0, 0, 0.2, 0.4, 0.6]
