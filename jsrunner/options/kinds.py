"""The types of option values: how each is read from JSON and from a text, and written as JSON.

Errors are ValueErrors with Go's texts; whoever reads an option says which one it was. A reader that
returns None leaves the option unset.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, Protocol

from msgspec import Struct

from jsrunner.options.duration import format_duration, parse_duration, parse_go_duration
from jsrunner.options.mismatch import Mismatch, mismatch, null_mismatch, nullable
from jsrunner.options.numbers import parse_float, parse_int, quote


class Kind(Protocol):
    """How values of one type are read and written."""

    #: How the command line's help names the value.
    word: str
    #: Go's name of the type, for error texts.
    go_type: str

    def from_json(self, value: Any) -> Any:
        """Of the script's options or a config file."""

    def from_text(self, text: str) -> Any:
        """Of a flag."""

    def from_env(self, text: str) -> Any:
        """Of an environment variable."""

    def to_json(self, value: Any) -> Any: ...


def pairs(text: str) -> dict[str, str]:
    """Return the map of a variable, `key:value,key:value`. Raises ValueError."""
    found = {}
    for pair in text.split(","):
        key, *rest = pair.split(":")
        if len(rest) != 1:
            raise ValueError(f"invalid map item: {quote(pair)}")
        found[key] = rest[0]
    return found


class Base:
    """A string, and what most kinds share."""

    word = "string"
    go_type = "string"

    def from_json(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise null_mismatch(value, self.go_type)
        return self.from_text(value)

    def from_text(self, text: str) -> Any:
        return text

    def from_env(self, text: str) -> Any:
        return self.from_text(text)

    def to_json(self, value: Any) -> Any:
        return value


class Text(Base):
    """A string."""

    go_type = "null.String"

    def from_json(self, value: Any) -> Any:
        if isinstance(value, dict):
            value = nullable(value, "String", str, "string")
        return super().from_json(value)


class Bool(Base):
    """true or false; a flag also takes Go's other spellings."""

    word = ""
    go_type = "null.Bool"

    def from_json(self, value: Any) -> bool:
        if isinstance(value, dict):
            value = nullable(value, "Bool", bool, "bool")
        if not isinstance(value, bool):
            raise null_mismatch(value, self.go_type)
        return value

    def from_text(self, text: str) -> bool:
        if text in ("1", "t", "T", "true", "TRUE", "True"):
            return True
        if text in ("0", "f", "F", "false", "FALSE", "False"):
            return False
        raise ValueError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax")

    def from_env(self, text: str) -> bool | None:
        if text not in ("true", "false", "null"):
            raise ValueError(f"invalid input:{text}")
        return None if text == "null" else text == "true"


class Switch(Bool):
    """The same of settings that are no options: Go's spellings everywhere."""

    def from_env(self, text: str) -> bool:
        return self.from_text(text)


class Given(Bool):
    """On as soon as the variable says anything."""

    def from_env(self, text: str) -> bool:
        return True


class Choice(Base):
    """One of a few words; {} in the error's text stands for what was given."""

    def __init__(self, words: tuple[str, ...], error: str) -> None:
        self._words = words
        self._error = error
        self.hint = f"use {' or '.join(word for word in words if word)}"

    def from_text(self, text: str) -> str:
        if text not in self._words:
            raise ValueError(self._error.format(text))
        return text


class Int(Base):
    """A whole number; JSON may say it as a text, of which an empty one says nothing."""

    word = "int"
    go_type = "null.Int"

    def from_json(self, value: Any) -> int | None:
        if isinstance(value, str):
            return parse_int(value) if value else None
        if isinstance(value, dict):
            value = nullable(value, "Int64", int, "int64")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise null_mismatch(value, self.go_type)
        if not isinstance(value, int) or not -(1 << 63) <= value < 1 << 63:
            raise Mismatch(f"number {json.dumps(value)}", "int64")
        return value

    def from_text(self, text: str) -> int:
        return parse_int(text)

    def from_env(self, text: str) -> int | None:
        return None if text == "null" else parse_int(text)


class Size(Base):
    """A number of bytes, with or without a unit of 1024: `64MiB`, `64MB` and `64m` are the same."""

    word = "size"
    go_type = "null.String"
    _FORM = re.compile(r"(\d+)\s*(?:([KMGT])(?:i?B)?|B)?", re.IGNORECASE)

    def from_text(self, text: str) -> int:
        match = self._FORM.fullmatch(text.strip())
        if match is None or not int(match[1]):
            raise ValueError(
                f"invalid size {quote(text)}: give bytes, or a number with a unit as in 64MiB"
            )
        return int(match[1]) << 10 * (" KMGT".index(match[2].upper()) if match[2] else 0)


class Duration(Base):
    """Seconds inside; milliseconds or Go's units outside."""

    word = "duration"
    go_type = "types.NullDuration"

    def from_json(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError(f"'{json.dumps(value)}' is not a valid duration value")
        return parse_duration(value)

    def from_text(self, text: str) -> float:
        return parse_go_duration(text)

    def from_env(self, text: str) -> float:
        return parse_duration(text)

    def to_json(self, value: float) -> str:
        return format_duration(value)


class Texts(Base):
    """A list of strings; commas between them in a text."""

    word = "strings"
    go_type = "[]string"

    def from_json(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise mismatch(value, "[]string")
        for one in value:
            if not isinstance(one, str):
                raise mismatch(one, "string")
        return self.check(tuple(value))

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.check(tuple(text.split(",")) if text else ())

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """Raises ValueError for a wrong value."""
        return values

    def to_json(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


class Lines(Texts):
    """A list of strings that may hold commas: the environment says but one."""

    def from_env(self, text: str) -> tuple[str, ...]:
        return (text,)


class SystemTags(Texts):
    """Names of system tags; unknown ones are passed over."""

    go_type = "metrics.SystemTagSet"
    known: Final = frozenset(
        {
            *("proto", "subproto", "status", "method", "url", "name", "group", "check", "error"),
            *("error_code", "tls_version", "scenario", "service", "expected_response"),
            *("iter", "vu", "ocsp_status", "ip"),
        }
    )

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in dict.fromkeys(values) if name in self.known)

    def from_env(self, text: str) -> tuple[str, ...]:
        return self.check(tuple(name.strip() for name in text.split(",")))


class TrendStats(Texts):
    """Columns of trends in the summary. Those of flags are checked here, others with the whole test."""

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return values

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.checked(super().from_text(text))

    def from_env(self, text: str) -> tuple[str, ...]:
        return super().from_text(text)

    @staticmethod
    def checked(values: tuple[str, ...]) -> tuple[str, ...]:
        """Return the values. Raises ValueError for one that is no statistic."""
        for stat in values:
            if stat in ("avg", "min", "med", "max", "count"):
                continue
            if not (stat.startswith("p(") and stat.endswith(")")):
                raise ValueError(f"invalid trend stat '{stat}', unknown format")
            try:
                fits = 0 <= parse_float(stat[2:-1]) <= 100
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(
                    f"invalid percentile trend stat value '{stat}', provide a number between 0 and 100"
                )
        return values


class TimeUnit(Text):
    """s, ms, us or "" for what fits each value; but for flags anything is accepted, as in k6."""

    known: Final = ("", "s", "ms", "us")

    def from_json(self, value: Any) -> str:
        if not isinstance(value, str):
            raise null_mismatch(value, self.go_type)
        return value

    def from_env(self, text: str) -> str:
        return text

    def from_text(self, text: str) -> str:
        if text not in self.known:
            raise ValueError(f"invalid summary time unit '{text}', use 's', 'ms' or 'us'")
        return text


class TextMap(Base):
    """Strings by string; `key=value` as a flag, `key:value,key:value` in the environment."""

    word = "stringArray"
    go_type = "map[string]string"

    def from_json(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise mismatch(value, self.go_type)
        for one in value.values():
            if not isinstance(one, (str, type(None))):
                raise mismatch(one, "string")
        return {key: one or "" for key, one in value.items()}

    def from_text(self, text: str) -> dict[str, str]:
        key, _, value = text.partition("=")
        if key and value:
            return {key: value}
        missing = "empty string" if not text else "empty value" if key else "empty name"
        raise ValueError(f"error parsing tag '{text}': invalid tag, {missing}")

    def from_env(self, text: str) -> dict[str, str]:
        return pairs(text)


class Stage(Struct, frozen=True):
    """One stage of a ramp as an option has it; what is missing is None."""

    #: Seconds.
    duration: float | None = None
    target: int | None = None


class Stages(Base):
    """[{duration, target}]; `10s:5,1m:0` as a text."""

    word = "stage"
    go_type = "[]lib.Stage"
    #: Go's type of a stage that is read.
    item_type = "lib.StageFields"
    #: Whether other fields of a stage are refused.
    is_strict = False

    def from_json(self, value: Any) -> tuple[Stage, ...]:
        if not isinstance(value, list):
            raise mismatch(value, self.go_type)
        return tuple(self._stage(one) for one in value)

    def _stage(self, value: Any) -> Stage:
        if value is None:
            return Stage()
        if not isinstance(value, dict):
            raise mismatch(value, self.item_type)
        duration = target = None
        for key, given in value.items():
            match key.lower():  # Go's JSON looks past the case of field names
                case "duration":
                    duration = None if given is None else Duration().from_json(given)
                case "target":
                    try:
                        target = None if given is None else Int().from_json(given)
                    except Mismatch as error:
                        raise error.within("target") from None
                case _ if self.is_strict:
                    raise ValueError(f"json: unknown field {quote(key)}")
        return Stage(duration, target)

    def from_text(self, text: str) -> tuple[Stage, ...]:
        """Of flags: each stage needs its duration."""
        stages = []
        for number, part in enumerate(text.split(",")):
            try:
                stage = self._from_part(part)
            except ValueError as error:
                raise ValueError(f"error for stage {number}: {error}") from None
            if stage.duration is None:
                raise ValueError(f"stage {number} doesn't have a specified duration")
            stages.append(stage)
        return tuple(stages)

    def from_env(self, text: str) -> tuple[Stage, ...]:
        return tuple(self._from_part(part) for part in text.split(","))

    @staticmethod
    def _from_part(part: str) -> Stage:
        duration, _, target = part.partition(":")
        return Stage(
            parse_go_duration(duration) if duration else None, parse_int(target) if target else None
        )

    def to_json(self, value: tuple[Stage, ...]) -> list[dict[str, Any]]:
        return [
            {
                "duration": None if one.duration is None else format_duration(one.duration),
                "target": one.target,
            }
            for one in value
        ]


class ScenarioStages(Stages):
    """The same of a scenario."""

    go_type = "[]executor.Stage"
    item_type = "executor.Stage"
    is_strict = True


class Anything(Base):
    """JSON that is checked where it is used."""

    def from_json(self, value: Any) -> Any:
        return value


class Object(Base):
    """A JSON object whose fields are checked where they are used."""

    def __init__(self, go_type: str = "map[string]json.RawMessage") -> None:
        self.go_type = go_type

    def from_json(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise mismatch(value, self.go_type)
        return value


class Thresholds(Base):
    """{metric: [entries]}; entries are texts, or {threshold, abortOnFail, delayAbortEval} to abort."""

    go_type = "map[string]metrics.Thresholds"

    def from_json(self, value: Any) -> dict[str, list[Any]]:
        if not isinstance(value, dict):
            raise mismatch(value, self.go_type)
        found = {}
        for metric, entries in value.items():
            if entries is None:
                entries = []
            if not isinstance(entries, list):
                raise mismatch(entries, "[]metrics.thresholdConfig")
            found[metric] = [self._entry(entry) for entry in entries]
        return found

    def from_env(self, text: str) -> dict[str, list[Any]]:
        """Of `metric:anything,...`: k6 reads no thresholds there, but refuses what has another form."""
        return {metric: [] for metric in pairs(text)}

    @staticmethod
    def _entry(entry: Any) -> Any:
        if isinstance(entry, str):
            return entry
        if not isinstance(entry, dict):
            raise mismatch(entry, "metrics.rawThresholdConfig")
        for key, wanted, go_type in (("threshold", str, "string"), ("abortOnFail", bool, "bool")):
            if entry.get(key) is not None and not isinstance(entry[key], wanted):
                raise mismatch(entry[key], go_type)
        text, delay = entry.get("threshold") or "", entry.get("delayAbortEval")
        shown = None if delay is None else format_duration(Duration().from_json(delay))
        if not entry.get("abortOnFail"):
            return text
        return {"threshold": text, "abortOnFail": True, "delayAbortEval": shown}
