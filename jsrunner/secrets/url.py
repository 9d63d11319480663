"""Secrets from an HTTP endpoint: `--secret-source=url=urlTemplate=https://.../{key},...`.

https://grafana.com/docs/k6/latest/using-k6/secret-source/url/
"""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import UsageError
from jsrunner.options.duration import parse_go_duration
from jsrunner.secrets.sources import SecretError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PREFIX: Final = "K6_SECRET_SOURCE_URL_"


@dataclass(slots=True)
class UrlSettings:
    """k6's settings and defaults; times in seconds."""

    url_template: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    #: Where in a JSON answer the secret is, `a.b`; "": the answer is the secret.
    response_path: str = ""
    timeout: float = 30.0
    requests_per_minute: int = 300
    burst: int = 10
    max_retries: int = 3
    retry_backoff: float = 1.0


#: Setting -> (attribute, how its text is read).
_SETTINGS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "urlTemplate": ("url_template", str),
    "method": ("method", str),
    "responsePath": ("response_path", str),
    "timeout": ("timeout", parse_go_duration),
    "requestsPerMinuteLimit": ("requests_per_minute", int),
    "requestsBurst": ("burst", int),
    "maxRetries": ("max_retries", int),
    "retryBackoff": ("retry_backoff", parse_go_duration),
}
_VARIABLES: Final = {
    "URL_TEMPLATE": "urlTemplate",
    "METHOD": "method",
    "RESPONSE_PATH": "responsePath",
    "TIMEOUT": "timeout",
    "REQUESTS_PER_MINUTE_LIMIT": "requestsPerMinuteLimit",
    "REQUESTS_BURST": "requestsBurst",
    "MAX_RETRIES": "maxRetries",
    "RETRY_BACKOFF": "retryBackoff",
}


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> UrlSettings:
    """Defaults < environment < configuration file < arguments. Raises UsageError."""
    settings = UrlSettings()
    for variable, key in _VARIABLES.items():
        if text := environment.get(_PREFIX + variable):
            _set(settings, key, text, _PREFIX + variable)
    for variable, text in environment.items():
        if variable.startswith(_PREFIX + "HEADER_"):
            name = variable.removeprefix(_PREFIX + "HEADER_").replace("_", "-").title()
            settings.headers[name] = text
    pairs = [argument.partition("=") for argument in arguments]
    for key, _, path in pairs:
        if key == "config":
            _read_file(settings, path)
    for key, _, text in pairs:
        if key != "config":
            _set(settings, key, text, "the secret source url")
    if not settings.url_template:
        raise UsageError("the secret source url has no urlTemplate")
    if settings.requests_per_minute < 1 or settings.burst < 1:
        raise UsageError(
            "requestsPerMinuteLimit and requestsBurst of the secret source url must be above 0"
        )
    return settings


def _read_file(settings: UrlSettings, path: str) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError) as error:
        raise UsageError(f"the configuration {path} of the secret source url: {error}") from None
    for name, text in found.pop("headers", {}).items():
        settings.headers[name] = str(text)
    for key, value in found.items():
        _set(settings, key, str(value), path)


def _set(settings: UrlSettings, key: str, text: str, where: str) -> None:
    if key.startswith("headers."):
        settings.headers[key.removeprefix("headers.")] = text
        return
    if key not in _SETTINGS:
        raise UsageError(f"unknown setting '{key}' in {where}")
    attribute, read = _SETTINGS[key]
    try:
        setattr(settings, attribute, read(text))
    except ValueError as error:
        raise UsageError(f"invalid value '{text}' of {key} in {where}: {error}") from None


class _Refused(Exception):
    """A request failed; `again`: the next one may succeed."""

    def __init__(self, text: str, *, again: bool) -> None:
        super().__init__(text)
        self.again = again


class UrlSource:
    """Asks for each secret anew, in the thread that calls."""

    waits = True

    def __init__(self, settings: UrlSettings) -> None:
        self._settings = settings
        self._limit = _Limit(settings.requests_per_minute / 60, settings.burst)

    def divide(self, workers: int) -> None:
        settings = self._settings
        burst = max(1, settings.burst // workers)
        self._limit = _Limit(settings.requests_per_minute / 60 / workers, burst)

    def get(self, key: str) -> str:
        attempt = 0
        while True:
            self._limit.wait()
            try:
                return self._extract(self._fetch(key))
            except _Refused as error:
                attempt += 1
                if not error.again or attempt > self._settings.max_retries:
                    raise SecretError(f'failed to get the secret "{key}": {error}') from None
            time.sleep(self._settings.retry_backoff**attempt + random.random())

    def _fetch(self, key: str) -> bytes:
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.parse import quote
        from urllib.request import Request, urlopen

        settings = self._settings
        url = settings.url_template.replace("{key}", quote(key, safe="/"))
        try:
            request = Request(url, headers=settings.headers, method=settings.method)
            with urlopen(request, timeout=settings.timeout) as response:
                body: bytes = response.read()
                return body
        except HTTPError as error:
            error.close()
            raise _Refused(
                f"the server answered {error.code}", again=error.code >= 500 or error.code == 429
            ) from None
        except ValueError as error:
            raise _Refused(str(error), again=False) from None
        except (OSError, HTTPException) as error:
            raise _Refused(str(error), again=True) from None

    def _extract(self, body: bytes) -> str:
        text = body.decode("utf-8", "replace")
        path = self._settings.response_path
        if not path:
            return text
        try:
            found = json.loads(text)
            for key in path.split("."):
                found = found[int(key) if isinstance(found, list) else key]
        except (ValueError, LookupError, TypeError):
            raise _Refused(f"the answer has nothing at {path}", again=False) from None
        return found if isinstance(found, str) else json.dumps(found)


class _Limit:
    """So many requests a second, after a burst; who comes too soon waits."""

    def __init__(self, rate: float, burst: int) -> None:
        self._every = 1 / rate
        self._slack = (burst - 1) * self._every
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            due = max(self._next, now - self._slack)
            self._next = due + self._every
        if due > now:
            time.sleep(due - now)
