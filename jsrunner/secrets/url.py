"""The source of secrets at an HTTP server: `--secret-source=url=urlTemplate=https://.../{key},...`.

https://grafana.com/docs/k6/latest/using-k6/secret-source/url/
"""

from __future__ import annotations

import json
import random
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from jsrunner.errors import UsageError
from jsrunner.options.duration import parse_go_duration
from jsrunner.options.mismatch import mismatch
from jsrunner.options.numbers import quote as go_quote
from jsrunner.secrets.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PREFIX: Final = "K6_SECRET_SOURCE_URL_"
_INTEGER: Final = re.compile(r"\s*([+-]?[0-9]+)")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: The most bytes of a response.
_MOST_BYTES: Final = 24 * 1024


class UrlSettings(Struct):
    """The settings of a source, with k6's defaults. Times are seconds."""

    #: The URL, in which `{key}` stands for the secret's key.
    url_template: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    #: The path of the secret in a JSON response, such as `a.b`; "" if the response is the secret.
    response_path: str = ""
    timeout: float = 30.0
    requests_per_minute: int = 300
    burst: int = 10
    max_retries: int = 3
    retry_backoff: float = 1.0


def _integer(text: str) -> int:
    """Parse the number at the begin of a text, as Go's Sscanf does."""
    match = _INTEGER.match(text)
    if match is None:
        raise ValueError("expected integer" if text.strip() else "EOF")
    return int(match[1])


#: The attribute and the parser by setting.
_SETTINGS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "urlTemplate": ("url_template", str),
    "method": ("method", str),
    "responsePath": ("response_path", str),
    "timeout": ("timeout", parse_go_duration),
    "requestsPerMinuteLimit": ("requests_per_minute", _integer),
    "requestsBurst": ("burst", _integer),
    "maxRetries": ("max_retries", _integer),
    "retryBackoff": ("retry_backoff", parse_go_duration),
}
#: The settings by environment variable, without the prefix.
_VARIABLES: Final = {
    "URL_TEMPLATE": "urlTemplate",
    "METHOD": "method",
    "RESPONSE_PATH": "responsePath",
    "TIMEOUT": "timeout",
    "MAX_RETRIES": "maxRetries",
    "RETRY_BACKOFF": "retryBackoff",
    "REQUESTS_PER_MINUTE_LIMIT": "requestsPerMinuteLimit",
    "REQUESTS_BURST": "requestsBurst",
}


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> UrlSettings:
    """Read the settings. From low to high: defaults, environment, configuration file, arguments.

    Headers of a higher layer replace all headers of lower ones.

    Args:
        arguments: Texts `key=value`.
        environment: The environment.

    Raises:
        UsageError: A setting is wrong. The text is k6's.
    """
    settings = UrlSettings()
    try:
        _read_environment(settings, environment)
        _read_arguments(settings, arguments)
        _check(settings)
    except ValueError as error:
        raise UsageError(f"missing or invalid config: {error}") from None
    return settings


def _read_environment(settings: UrlSettings, environment: Mapping[str, str]) -> None:
    for variable, key in _VARIABLES.items():
        if text := environment.get(_PREFIX + variable):
            _set(settings, key, text)
    for variable, text in environment.items():
        if variable.startswith(_PREFIX + "HEADER_"):
            settings.headers[variable.removeprefix(_PREFIX + "HEADER_").capitalize()] = text


def _read_arguments(settings: UrlSettings, arguments: Sequence[str]) -> None:
    headers = {}
    values = {}
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if not equals:
            raise ValueError(f"invalid config format {go_quote(argument)}, expected key=value")
        if key == "config":
            _read_file(settings, text)
        elif key.startswith("headers."):
            headers[key.removeprefix("headers.")] = text
        else:
            _set(UrlSettings(), key, text)
            values[key] = text
    for key, text in values.items():  # here, so that arguments win over a file that is named later
        _set(settings, key, text)
    if headers:
        settings.headers = headers


def _read_file(settings: UrlSettings, path: str) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ValueError(f"failed to open config file: open {path}: {reason}") from None
    except ValueError as error:
        raise ValueError(f"failed to parse JSON config: {error}") from None
    if not isinstance(config, dict):
        raise ValueError(f"failed to parse JSON config: {mismatch(config, 'url.extConfig')}")
    headers = config.pop("headers", None)
    if headers is not None:
        settings.headers = {name: str(text) for name, text in dict(headers).items()}
    for key, value in config.items():
        if key in _SETTINGS and value is not None:
            _set(settings, key, str(value))


def _set(settings: UrlSettings, key: str, text: str) -> None:
    """Parse and set a setting."""
    if key not in _SETTINGS:
        raise ValueError(f"unknown configuration key: {go_quote(key)}")
    attribute, parse = _SETTINGS[key]
    try:
        setattr(settings, attribute, parse(text))
    except ValueError as error:
        raise ValueError(f"invalid {key}: {error}") from None


def _url_error(url: str) -> str:
    """Return Go's error text for a URL; "" if the URL is valid."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return "missing ']' in host"
    try:
        parts.port  # noqa: B018 - the property parses the port
    except ValueError:
        return f"invalid port {go_quote(':' + parts.netloc.rpartition(':')[2])} after host"
    return ""


def _check(settings: UrlSettings) -> None:
    """Raise ValueError if a setting is wrong."""
    if not settings.url_template:
        raise ValueError("urlTemplate is required")
    if "{key}" not in settings.url_template:
        raise ValueError("urlTemplate must contain {key} placeholder")
    url = settings.url_template.replace("{key}", "test")
    if reason := _url_error(url):
        raise ValueError(f"urlTemplate is not a valid URL: parse {go_quote(url)}: {reason}")
    if not _SCHEME.match(settings.url_template):
        raise ValueError("urlTemplate must be an absolute URL with a scheme (e.g., https://...)")
    for name, value in (
        ("timeout", settings.timeout),
        ("requestsPerMinuteLimit", settings.requests_per_minute),
        ("requestsBurst", settings.burst),
    ):
        if value <= 0:
            raise ValueError(f"{name} must be greater than 0")
    if settings.max_retries < 0:
        raise ValueError("maxRetries must be non-negative")
    if settings.retry_backoff <= 0:
        raise ValueError("retryBackoff must be greater than 0")


class _RequestFailed(Exception):
    """A request has failed.

    Args:
        text: The reason.
        again: True if another request may succeed.
    """

    def __init__(self, text: str, *, again: bool) -> None:
        super().__init__(text)
        self.again = again


class UrlSource:
    """The source at an HTTP server: each call of `get` sends a request, in the caller's thread."""

    waits = True

    def __init__(self, settings: UrlSettings) -> None:
        self._settings = settings
        self._limit = _Limit(settings.requests_per_minute / 60, settings.burst)

    def divide(self, workers: int) -> None:
        """Divide the limit of requests by the number of workers."""
        settings = self._settings
        burst = max(1, settings.burst // workers)
        self._limit = _Limit(settings.requests_per_minute / 60 / workers, burst)

    def get(self, key: str) -> str:
        """Return a secret; wait for the limit of requests and retry as the settings allow.

        Raises:
            SecretError: The server has no such secret, or cannot be reached. The text is k6's.
        """
        attempt = 0
        while True:
            self._limit.wait()
            try:
                return self._extract(self._fetch(key))
            except _RequestFailed as error:
                attempt += 1
                if not error.again or attempt > self._settings.max_retries:
                    raise SecretError(str(error)) from None
            time.sleep(int(self._settings.retry_backoff**attempt) + random.random())

    def _fetch(self, key: str) -> bytes:
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.parse import quote
        from urllib.request import Request, urlopen

        settings = self._settings
        url = quote(settings.url_template.replace("{key}", key), safe="!#$%&'()*+,/:;=?@[]~")
        if reason := _url_error(url):
            text = f"failed to create request: parse {go_quote(url)}: {reason}"
            raise _RequestFailed(text, again=True)
        try:
            request = Request(url, headers=settings.headers, method=settings.method)
            with urlopen(request, timeout=settings.timeout) as response:
                status: int = response.status
                body: bytes = response.read(_MOST_BYTES + 1)
        except HTTPError as error:
            error.close()
            status, body = error.code, b""
        except ValueError as error:
            raise _RequestFailed(f"failed to create request: {error}", again=True) from None
        except (OSError, HTTPException) as error:
            text = (
                f'failed to get secret: {settings.method.capitalize()} "{url}": {_reason(error, url)}'
            )
            raise _RequestFailed(text, again=True) from None
        if status != 200:
            again = status >= 500 or status == 429
            raise _RequestFailed(f"status code {status}: failed to get secret", again=again)
        return body

    def _extract(self, body: bytes) -> str:
        """Return the secret in the body of a response."""
        failed, path = "failed to extract secret: ", self._settings.response_path
        if len(body) > _MOST_BYTES:
            text = f"{failed}secret response exceeds maximum size of {_MOST_BYTES} bytes"
            raise _RequestFailed(text, again=False)
        text = body.decode("utf-8", "replace")
        if not path:
            return text
        try:
            value = json.loads(text)
            for key in path.split("."):
                value = value[int(key) if isinstance(value, list) else key]
        except (ValueError, LookupError, TypeError):
            raise _RequestFailed(
                f"{failed}path {go_quote(path)} not found in response", again=False
            ) from None
        if isinstance(value, str):
            return value
        kind = {"bool": str(value), "int": "Number", "float": "Number", "NoneType": "Null"}
        text = f"secret value at path {go_quote(path)} is not a string (got "
        raise _RequestFailed(f"{failed}{text}{kind.get(type(value).__name__, 'JSON')})", again=False)


def _reason(error: Exception, url: str) -> str:
    """Return Go's error text for a request that has failed."""
    from http.client import RemoteDisconnected
    from urllib.parse import urlsplit

    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if isinstance(cause, ConnectionRefusedError):
        return f"dial tcp {parts.hostname}:{port}: connect: connection refused"
    if isinstance(cause, socket.gaierror):
        return f"dial tcp: lookup {parts.hostname}: no such host"
    if isinstance(cause, RemoteDisconnected):
        return "EOF"
    if parts.scheme not in ("http", "https"):
        return f"unsupported protocol scheme {go_quote(parts.scheme)}"
    return str(cause)


class _Limit:
    """A limit of requests, which all threads share.

    Args:
        rate: Requests per second.
        burst: Requests that may come at once after a pause.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._slack = (burst - 1) * self._interval
        #: The time of the next request without a burst, by the monotonic clock.
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until a request may be sent."""
        with self._lock:
            now = time.monotonic()
            due = max(self._next, now - self._slack)
            self._next = due + self._interval
        if due > now:
            time.sleep(due - now)
