"""Texts of google.protobuf's Timestamp, Duration and FieldMask as JSON has them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Final

from jsrunner.proto.errors import MappingError

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT)(\d\d?)(:\d\d:\d\d)(?:([.,])(\d+))?(?:Z|([+-])(\d\d):(\d\d))"
)
_DURATION: Final = re.compile(r"([+-]?)(0|[1-9]\d*)?(?:(\.)(\d{0,9}))?s")
_EPOCH: Final = datetime(1970, 1, 1)
_PATH: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
#: Seconds of the years 1 and 9999.
_LEAST_SECOND: Final = -62135596800
_LAST_SECOND: Final = 253402300799
_MOST_SECONDS: Final = 315576000000
_BILLION: Final = 1_000_000_000


def parse_timestamp(text: str) -> tuple[int, int] | None:
    """Return (seconds, nanoseconds) of a time in RFC 3339; None if it is none.

    Raises:
        OverflowError: the year is not between 1 and 9999.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    date, hour, rest, mark, fraction, sign, hours, minutes = match.groups()
    moment = f"{date}{hour:0>2}{rest}"
    if mark == "." and len(fraction) > 9:
        return None
    try:
        local = datetime.fromisoformat(moment)
    except ValueError:
        if not moment.startswith("0000-"):
            return None
        raise OverflowError from None
    seconds = (local - _EPOCH) // timedelta(seconds=1)
    if sign:
        if int(hours) > 24 or int(minutes) > 60:
            return None
        offset = int(hours) * 3600 + int(minutes) * 60
        seconds += offset if sign == "-" else -offset
    if not _LEAST_SECOND <= seconds <= _LAST_SECOND:
        raise OverflowError
    return seconds, int((fraction or "").ljust(9, "0")[:9])


def show_timestamp(seconds: int, nanos: int) -> str:
    """Return a time in RFC 3339 with 0, 3, 6 or 9 decimals. Raises MappingError."""
    if not _LEAST_SECOND <= seconds <= _LAST_SECOND:
        raise MappingError(f"google.protobuf.Timestamp: seconds out of range {seconds}")
    if not 0 <= nanos <= _BILLION:
        raise MappingError(f"google.protobuf.Timestamp: nanos out of range {nanos}")
    moment = datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=seconds + nanos // _BILLION)
    return f"{moment.replace(tzinfo=None).isoformat()}{_decimals(nanos % _BILLION)}Z"


def parse_duration(text: str) -> tuple[int, int] | None:
    """Return (seconds, nanoseconds) of a text such as 1.5s; None if it is none.

    Raises:
        OverflowError: it has more than 315,576,000,000 seconds.
    """
    match = _DURATION.fullmatch(text)
    if match is None or (match[2] is None and match[3] is None):
        return None
    seconds, nanos = int(match[2] or 0), int((match[4] or "").ljust(9, "0"))
    if seconds >= 1 << 63:
        return None
    if seconds > _MOST_SECONDS:
        raise OverflowError
    return (-seconds, -nanos) if match[1] == "-" else (seconds, nanos)


def show_duration(seconds: int, nanos: int) -> str:
    """Return a duration with 0, 3, 6 or 9 decimals. Raises MappingError."""
    prefix = "google.protobuf.Duration: "
    if abs(seconds) > _MOST_SECONDS:
        raise MappingError(f"{prefix}seconds out of range {seconds}")
    if abs(nanos) > _BILLION:
        raise MappingError(f"{prefix}nanos out of range {nanos}")
    if seconds * nanos < 0:
        raise MappingError(f"{prefix}signs of seconds and nanos do not match")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_decimals(abs(nanos))}s"


def _decimals(nanos: int) -> str:
    if not nanos:
        return ""
    text = f".{nanos:09}"
    for _ in range(2):
        text = text.removesuffix("000")
    return text


def parse_mask(text: str) -> list[str]:
    """Return the paths of a field mask. Raises ValueError with the path that is none."""
    text = text.strip()
    paths = []
    for part in text.split(",") if text else ():
        path = _snake_case(part)
        if "_" in part or not _PATH.fullmatch(path):
            raise ValueError(part)
        paths.append(path)
    return paths


def show_mask(paths: list[str]) -> str:
    """Return a field mask's paths in lowerCamelCase. Raises MappingError."""
    name = "google.protobuf.FieldMask.paths"
    shown = []
    for path in paths:
        if not _PATH.fullmatch(path):
            raise MappingError(f'{name} contains invalid path: "{path}"')
        camel = re.sub(r"_+([a-z]?)", lambda match: match[1].upper(), path)
        if path != _snake_case(camel):
            raise MappingError(f'{name} contains irreversible value "{path}"')
        shown.append(camel)
    return ",".join(shown)


def _snake_case(camel: str) -> str:
    """Return a name in lowerCamelCase as lower_snake_case."""
    return re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", camel)
