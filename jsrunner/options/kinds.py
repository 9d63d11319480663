"""The types of option values: how each is read from JSON and from a text, and written as JSON.

Errors are ValueErrors with Go's texts; whoever reads an option says which one it was.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from typing import Any, Final, Protocol

from jsrunner.options.duration import format_duration, parse_duration, parse_go_duration


class Kind(Protocol):
    """How values of one type are read and written."""

    #: How the command line's help names the value.
    word: str

    def from_json(self, value: Any) -> Any:
        """Of the script's options or a config file."""

    def from_text(self, text: str) -> Any:
        """Of a flag."""

    def from_env(self, text: str) -> Any:
        """Of an environment variable."""

    def to_json(self, value: Any) -> Any: ...


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return {"str": "string", "list": "array", "dict": "object"}.get(type(value).__name__, "null")


def _mismatch(value: object, go_type: str) -> ValueError:
    return ValueError(f"json: cannot unmarshal {_json_type(value)} into Go value of type {go_type}")


class _Base:
    word = "string"
    go_type = "string"

    def from_json(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise _mismatch(value, self.go_type)
        return self.from_text(value)

    def from_text(self, text: str) -> Any:
        return text

    def from_env(self, text: str) -> Any:
        return self.from_text(text)

    def to_json(self, value: Any) -> Any:
        return value


class Text(_Base):
    """A string."""


class Bool(_Base):
    """true or false; a flag also takes Go's other spellings."""

    word = ""
    go_type = "bool"

    def from_json(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise _mismatch(value, "bool")
        return value

    def from_text(self, text: str) -> bool:
        if text in ("1", "t", "T", "true", "TRUE", "True"):
            return True
        if text in ("0", "f", "F", "false", "FALSE", "False"):
            return False
        raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')

    def from_env(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise ValueError(f"invalid input:{text}")
        return text == "true"


class Int(_Base):
    """A whole number; JSON may say it as a text."""

    word = "int"
    go_type = "int64"

    def from_json(self, value: Any) -> int:
        if isinstance(value, str):
            return self.from_text(value)
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            if isinstance(value, float):
                raise ValueError(f"json: cannot unmarshal number {value} into Go value of type int64")
            raise _mismatch(value, "int64")
        return value

    def from_text(self, text: str) -> int:
        if not re.match(r"[+-]?\d+\Z", text):
            raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
        number = int(text)
        if abs(number) >= 2**63:
            raise ValueError(f'strconv.ParseInt: parsing "{text}": value out of range')
        return number


class Duration(_Base):
    """Seconds inside; milliseconds or Go's units outside."""

    word = "duration"
    go_type = "types.NullDuration"

    def from_json(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise _mismatch(value, "types.Duration")
        return self.from_env(value) if isinstance(value, str) else value / 1000

    def from_text(self, text: str) -> float:
        try:
            return parse_go_duration(text)
        except ValueError:
            # pflag shows its own wording for what it could not read.
            raise ValueError(_go_duration_error(text)) from None

    def from_env(self, text: str) -> float:
        return parse_duration(text)

    def to_json(self, value: float) -> str:
        return format_duration(value)


def _go_duration_error(text: str) -> str:
    try:
        parse_go_duration(text)
    except ValueError as error:
        return str(error)
    return ""


class Texts(_Base):
    """A list of strings; commas between them in a text."""

    word = "strings"

    def from_json(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _mismatch(value, "[]string")
        return self.check(tuple(value))

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.check(tuple(text.split(",")) if text else ())

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return values

    def to_json(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


class SystemTags(Texts):
    """Names of system tags; unknown ones are passed over."""

    known: Final = frozenset(
        {
            *("proto", "subproto", "status", "method", "url", "name", "group", "check", "error"),
            *("error_code", "tls_version", "scenario", "service", "expected_response"),
            *("iter", "vu", "ocsp_status", "ip"),
        }
    )

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in dict.fromkeys(values) if name in self.known)


class TrendStats(Texts):
    """Columns of trends in the summary."""

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        for stat in values:
            if stat in ("avg", "min", "med", "max", "count"):
                continue
            match = re.match(r"p\((-?\d+\.?\d*)\)\Z", stat)
            if not match:
                raise ValueError(f"invalid trend stat '{stat}', unknown format")
            if not 0 <= float(match[1]) <= 100:
                raise ValueError(
                    f"invalid percentile trend stat value '{stat}', provide a number between 0 and 100"
                )
        return values


class TimeUnit(Text):
    """s, ms, us or "" for what fits each value."""

    def from_json(self, value: Any) -> str:
        text: str = super().from_json(value) if isinstance(value, str) else ""
        return text

    def from_env(self, text: str) -> str:
        return text if text in ("s", "ms", "us") else ""

    def from_text(self, text: str) -> str:
        if text not in ("", "s", "ms", "us"):
            raise ValueError(f"invalid summary time unit '{text}', use 's', 'ms' or 'us'")
        return text


class TextMap(_Base):
    """Strings by string; `key=value` as a flag, `key:value,key:value` in the environment."""

    word = "stringArray"

    def from_json(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise _mismatch(value, "map[string]string")
        for one in value.values():
            if not isinstance(one, str):
                raise _mismatch(one, "string")
        return dict(value)

    def from_text(self, text: str) -> dict[str, str]:
        key, _, value = text.partition("=")
        if not key or not value:
            missing = "value" if key else "name"
            raise ValueError(f"error parsing tag '{text}': invalid tag, empty {missing}")
        return {key: value}

    def from_env(self, text: str) -> dict[str, str]:
        found = {}
        for pair in text.split(","):
            key, colon, value = pair.partition(":")
            if not colon:
                raise ValueError(f"invalid map item: {json.dumps(pair)}")
            found[key] = value
        return found


class Stages(_Base):
    """[{duration, target}]; `10s:5,1m:0` as a text."""

    word = "stage"

    def from_json(self, value: Any) -> tuple[dict[str, Any], ...]:
        if not isinstance(value, list):
            raise _mismatch(value, "[]lib.Stage")
        return tuple(self._stage(one) for one in value)

    @staticmethod
    def _stage(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _mismatch(value, "lib.stageFields")
        found: dict[str, Any] = {}
        if value.get("duration") is not None:
            found["duration"] = Duration().from_json(value["duration"])
        if value.get("target") is not None:
            found["target"] = Int().from_json(value["target"])
        return found

    def from_text(self, text: str) -> tuple[dict[str, Any], ...]:
        stages = []
        for part in text.split(","):
            duration, colon, target = part.partition(":")
            stage: dict[str, Any] = {}
            if duration:
                stage["duration"] = parse_go_duration(duration)
            if colon and target:
                stage["target"] = Int().from_text(target)
            stages.append(stage)
        return tuple(stages)

    def to_json(self, value: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        return [
            {
                "duration": format_duration(one["duration"]) if "duration" in one else None,
                "target": one.get("target"),
            }
            for one in value
        ]


class Anything(_Base):
    """JSON that is checked where it is used."""

    def from_json(self, value: Any) -> Any:
        return value


class Thresholds(_Base):
    """{metric: [entries]}."""

    def from_json(self, value: Any) -> dict[str, list[Any]]:
        if not isinstance(value, dict):
            raise _mismatch(value, "map[string]metrics.Thresholds")
        for entries in value.values():
            if not isinstance(entries, list):
                raise _mismatch(entries, "[]metrics.thresholdConfig")
            for entry in entries:
                if not isinstance(entry, (str, dict)):
                    raise _mismatch(entry, "metrics.rawThresholdConfig")
        return value


_TLS_VERSIONS: Final = ("tls1.0", "tls1.1", "tls1.2", "tls1.3")


class TLSVersion(_Base):
    """(lowest, highest), of one version or {min, max}."""

    def from_json(self, value: Any) -> tuple[str | None, str | None]:
        if isinstance(value, str):
            value = {"min": value, "max": value}
        if not isinstance(value, dict):
            raise _mismatch(value, "lib.TLSVersions")
        for one in value.values():
            if one not in (*_TLS_VERSIONS, "", None):
                raise ValueError(f"unknown TLS version: {one}")
        return value.get("min") or None, value.get("max") or None

    def to_json(self, value: tuple[str | None, str | None]) -> dict[str, str]:
        return {"min": value[0] or "", "max": value[1] or ""}


class Networks(Texts):
    """Addresses and CIDR ranges."""

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        for one in values:
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError:
                raise ValueError(f"invalid CIDR address: {one}") from None
        return values


class DNS(_Base):
    """{ttl, select, policy}; `ttl=5m,select=first` as a text."""

    _choices: Final = {
        "select": ("first", "random", "roundRobin"),
        "policy": ("preferIPv4", "preferIPv6", "onlyIPv4", "onlyIPv6", "any"),
    }

    def from_json(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise _mismatch(value, "types.DNSConfig")
        return self._checked({key: str(one) for key, one in value.items() if one is not None})

    def from_text(self, text: str) -> dict[str, str]:
        return self._checked(dict(pair.partition("=")[::2] for pair in text.split(",") if pair))

    def _checked(self, found: dict[str, str]) -> dict[str, str]:
        for key, value in found.items():
            if key == "ttl":
                if value not in ("inf", "0", ""):
                    parse_duration(value)
            elif key not in self._choices:
                raise ValueError(f"unknown DNS configuration field: {key}")
            elif value not in self._choices[key]:
                raise ValueError(f"invalid DNS {key} '{value}'")
        return found

    def to_json(self, value: dict[str, str]) -> dict[str, Any]:
        return {"ttl": None, "select": None, "policy": None} | value


class Number(_Base):
    """A number."""

    word = "float"

    def from_json(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _mismatch(value, "float64")
        if not math.isfinite(value):
            raise _mismatch(value, "float64")
        return value

    def from_text(self, text: str) -> float:
        return float(text)
