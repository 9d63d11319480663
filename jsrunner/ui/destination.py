"""The option `--log-output`: the destination of the log, read as k6 reads it."""

from __future__ import annotations

import os
import re
from typing import Final

from msgspec import Struct

from jsrunner.errors import UsageError
from jsrunner.options.duration import parse_go_duration

#: Severity of each level's name; Go's log library has more names than there are levels here.
LEVELS: Final = {
    "trace": 0,
    "debug": 10,
    "info": 20,
    "warn": 30,
    "warning": 30,
    "error": 40,
    "fatal": 50,
    "panic": 50,
}
#: `name=value`, of which the value may be a list in brackets.
_PAIR = re.compile(r"([^=,]*)(?:=(\[[^\]]*\]|[^,]*))?(?:,|\Z)")

LOKI_URL: Final = "http://127.0.0.1:3100/loki/api/v1/push"


class LogFile(Struct, frozen=True):
    """A file that records are appended to."""

    path: str
    level: int = 0


class Loki(Struct, frozen=True):
    """A Grafana Loki that records are pushed to."""

    url: str = LOKI_URL
    level: int = 0
    #: Seconds between two pushes.
    push_period: float = 1.0
    #: Maximum number of records in a push.
    limit: int = 100
    #: Maximum size of a message in bytes.
    max_size: int = 1 << 20
    #: Fields that become labels of a record; all other fields go into its text. None: all are labels.
    allowed_labels: tuple[str, ...] | None = None
    labels: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    profile: bool = False


Destination = str | LogFile | Loki


def parse_destination(text: str) -> Destination:
    """Return "stderr", "stdout", "none", a LogFile or a Loki. Raises UsageError."""
    if text in ("stderr", "stdout", "none"):
        return text
    if text.startswith("file"):
        return _file(text)
    if text.startswith("loki"):
        return _loki(text)
    raise UsageError(f"unsupported log output '{text}'")


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for match in _PAIR.finditer(text):
        key, value = match[1].strip(), match[2] or ""
        if key or value:
            pairs.append((key, value[1:-1] if value.startswith("[") else value))
    return pairs


def _file(text: str) -> LogFile:
    if text.partition("=")[0] != "file":
        raise UsageError(
            f"logfile configuration should be in the form `file=path-to-local-file` but is `{text}`"
        )
    last = text.rpartition(",")[2]
    if last and not last.partition("=")[2]:
        raise UsageError(f"error while parsing logfile configuration key `{last}` with no value")
    path, level = "", 0
    for key, value in _pairs(text):
        if key == "file":
            path = value
        elif key == "level":
            level = _level(value)
        else:
            raise UsageError(f"unknown logfile config key {key}")
    if not path:
        raise UsageError("filepath must not be empty")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise UsageError(f"provided directory '{folder}' does not exist")
    return LogFile(path, level)


def _loki(text: str) -> Loki:
    if text.partition("=")[0].partition(",")[0] != "loki":
        raise UsageError(f"loki configuration should be in the form `loki=url-to-push` but is `{text}`")
    values: dict[str, object] = {}
    labels, headers = [], []
    for key, value in _pairs(text):
        if key == "loki":
            values["url"] = value or LOKI_URL
        elif key == "level":
            values["level"] = _level(value)
        elif key == "pushPeriod":
            values["push_period"] = _period(value)
        elif key == "limit":
            values["limit"] = _count(key, value)
        elif key == "msgMaxSize":
            values["max_size"] = _count(key, value)
        elif key == "allowedLabels":
            values["allowed_labels"] = tuple(value.split(","))
        elif key == "profile":
            values["profile"] = True
        elif key.startswith("label."):
            labels.append((key.removeprefix("label."), value))
        elif key.startswith("header."):
            headers.append((key.removeprefix("header."), value))
        else:
            raise UsageError(f"unknown loki config key {key}")
    return Loki(labels=tuple(labels), headers=tuple(headers), **values)  # type: ignore[arg-type]


def _level(text: str) -> int:
    if text.lower() not in LEVELS:
        raise UsageError(f"unknown log level {text}")
    return LEVELS[text.lower()]


def _period(text: str) -> float:
    try:
        period = parse_go_duration(text)
    except ValueError as error:
        raise UsageError(f"couldn't parse the loki pushPeriod {error}") from None
    if period <= 0:
        raise UsageError(f"loki pushPeriod needs to be positive, is {text}")
    return period


def _count(key: str, text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        raise UsageError(f"couldn't parse the loki {key} as a number, it is {text}") from None
    if count < 1:
        raise UsageError(f"loki {key} needs to be a positive number, is {count}")
    return count
