"""Kinds: the types of option values. A kind parses values from JSON and texts, and writes JSON.

`network` and `segment` have further kinds. All parsers raise ValueError with Go's text, which k6
prints; the caller adds which option is wrong. A parser that returns None leaves the option unset.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict

from msgspec import Struct

from jsrunner.options.duration import format_duration, parse_duration, parse_go_duration
from jsrunner.options.mismatch import Mismatch, mismatch, null_mismatch, nullable
from jsrunner.options.numbers import parse_float, parse_int, quote

if TYPE_CHECKING:
    from jsrunner.json_types import JsonObject, JsonValue


class Kind(Protocol):
    """The contract of kinds. A kind has no state: one object serves all values of an option."""

    #: The placeholder of a flag's value in the help.
    word: str
    #: Go's name of the type, for error texts.
    go_type: str

    def from_json(self, value: object) -> object:
        """Convert a decoded JSON value of the script's options or a config file."""

    def from_text(self, text: str) -> object:
        """Parse a flag's value."""

    def from_env(self, text: str) -> object:
        """Parse an environment variable."""

    def to_json(self, value: Any) -> JsonValue:
        """Convert a value to what the JSON encoder takes."""


def parse_pairs(text: str) -> dict[str, str]:
    """Parse a map as environment variables have it: `key:value,key:value`.

    Raises:
        ValueError: An item has not exactly one colon.
    """
    values = {}
    for pair in text.split(","):
        key, *rest = pair.split(":")
        if len(rest) != 1:
            raise ValueError(f"invalid map item: {quote(pair)}")
        values[key] = rest[0]
    return values


class Base:
    """The base of kinds: strings, which are the same in JSON, flags and variables."""

    word = "string"
    go_type = "string"

    def from_json(self, value: object) -> object:
        if not isinstance(value, str):
            raise null_mismatch(value, self.go_type)
        return self.from_text(value)

    def from_text(self, text: str) -> object:
        return text

    def from_env(self, text: str) -> object:
        return self.from_text(text)

    def to_json(self, value: Any) -> JsonValue:
        return value  # type: ignore[no-any-return]


class Text(Base):
    """A string."""

    go_type = "null.String"

    def from_json(self, value: object) -> object:
        if isinstance(value, dict):
            value = nullable(value, "String", str, "string")
        return super().from_json(value)


class Bool(Base):
    """true or false. Flags also take Go's other spellings, such as `t` and `0`."""

    word = ""
    go_type = "null.Bool"

    def from_json(self, value: object) -> bool:
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
    """true or false of a setting that is no option: variables take Go's spellings, too."""

    def from_env(self, text: str) -> bool:
        return self.from_text(text)


class Presence(Bool):
    """A switch that any text of its environment variable turns on."""

    def from_env(self, text: str) -> bool:
        return True


class Choice(Base):
    """One of a few words.

    Args:
        words: The words.
        error: The text of the error for another word, which replaces {} in it.
    """

    def __init__(self, words: tuple[str, ...], error: str) -> None:
        self._words = words
        self._error = error
        #: The hint of the error.
        self.hint = f"use {' or '.join(word for word in words if word)}"

    def from_text(self, text: str) -> str:
        if text not in self._words:
            raise ValueError(self._error.format(text))
        return text


class Int(Base):
    """A 64-bit integer. In JSON it may be a text; an empty text leaves the option unset."""

    word = "int"
    go_type = "null.Int"

    def from_json(self, value: object) -> int | None:
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
    """A number of bytes. Units are powers of 1024: `64MiB`, `64MB` and `64m` are the same."""

    word = "size"
    go_type = "null.String"
    _FORM = r"(?i)(\d+)\s*(?:([KMGT])(?:i?B)?|B)?"

    def from_text(self, text: str) -> int:
        match = re.fullmatch(self._FORM, text.strip())
        if match is None or not int(match[1]):
            raise ValueError(
                f"invalid size {quote(text)}: give bytes, or a number with a unit as in 64MiB"
            )
        return int(match[1]) << 10 * (" KMGT".index(match[2].upper()) if match[2] else 0)


class Duration(Base):
    """A duration: seconds inside jsrunner, milliseconds or Go's units in scripts."""

    word = "duration"
    go_type = "types.NullDuration"

    def from_json(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
            raise ValueError(f"'{text}' is not a valid duration value")
        return parse_duration(value)

    def from_text(self, text: str) -> float:
        return parse_go_duration(text)

    def from_env(self, text: str) -> float:
        return parse_duration(text)

    def to_json(self, value: float) -> str:
        return format_duration(value)


class Texts(Base):
    """A list of strings, with commas between them in flags and variables."""

    word = "strings"
    go_type = "[]string"

    def from_json(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise mismatch(value, "[]string")
        for item in value:
            if not isinstance(item, str):
                raise mismatch(item, "string")
        return self.check(tuple(value))

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.check(tuple(text.split(",")) if text else ())

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """Return the values that count.

        Raises:
            ValueError: A value is wrong.
        """
        return values

    def to_json(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


class Lines(Texts):
    """A list of strings that may contain commas: a variable has a single string."""

    def from_env(self, text: str) -> tuple[str, ...]:
        return (text,)


class SystemTags(Texts):
    """Names of system tags. Unknown names are ignored, as in k6."""

    go_type = "metrics.SystemTagSet"
    #: k6's system tags.
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
    """Columns of trends in the summary.

    A flag's columns are checked when it is parsed, others with the consolidated options, as in k6.
    """

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.checked(super().from_text(text))

    def from_env(self, text: str) -> tuple[str, ...]:
        return super().from_text(text)

    @staticmethod
    def checked(values: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns after a check.

        Raises:
            ValueError: A column is not one of avg, min, med, max, count and p(N).
        """
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
    """The time unit of the summary: s, ms, us, or "" for a unit that fits each value.

    Only a flag's text is checked: k6 accepts any text of a script or a variable.
    """

    known: Final = ("", "s", "ms", "us")

    def from_json(self, value: object) -> object:
        return Text().from_json(value)

    def from_env(self, text: str) -> str:
        return text

    def from_text(self, text: str) -> str:
        if text not in self.known:
            raise ValueError(f"invalid summary time unit '{text}', use 's', 'ms' or 'us'")
        return text


class TextMap(Base):
    """Strings by name: `key=value` for a flag, `key:value,key:value` in a variable."""

    word = "stringArray"
    go_type = "map[string]string"

    def from_json(self, value: object) -> dict[str, str]:
        if not isinstance(value, dict):
            raise mismatch(value, self.go_type)
        for item in value.values():
            if not isinstance(item, (str, type(None))):
                raise mismatch(item, "string")
        return {key: item or "" for key, item in value.items()}

    def from_text(self, text: str) -> dict[str, str]:
        key, _, value = text.partition("=")
        if key and value:
            return {key: value}
        missing = "empty string" if not text else "empty value" if key else "empty name"
        raise ValueError(f"error parsing tag '{text}': invalid tag, {missing}")

    def from_env(self, text: str) -> dict[str, str]:
        return parse_pairs(text)


class Stage(Struct, frozen=True):
    """One stage of a ramp, as an option has it. Executors check that no field is missing."""

    #: Seconds; None if the script has no duration.
    duration: float | None = None
    #: VUs or a rate at the stage's end; None if the script has no target.
    target: int | None = None


class Stages(Base):
    """Stages: a list of {duration, target} in JSON, `10s:5,1m:0` as a text."""

    word = "stage"
    go_type = "[]lib.Stage"
    #: Go's type of one stage.
    item_type = "lib.StageFields"
    #: True if unknown fields of a stage are an error.
    is_strict = False

    def from_json(self, value: object) -> tuple[Stage, ...]:
        if not isinstance(value, list):
            raise mismatch(value, self.go_type)
        return tuple(self._stage(item) for item in value)

    def _stage(self, value: object) -> Stage:
        if value is None:
            return Stage()
        if not isinstance(value, dict):
            raise mismatch(value, self.item_type)
        duration = target = None
        for key, item in value.items():
            match key.lower():  # Go's JSON decoder ignores the case of field names
                case "duration":
                    duration = None if item is None else Duration().from_json(item)
                case "target":
                    try:
                        target = None if item is None else Int().from_json(item)
                    except Mismatch as error:
                        raise error.within("target") from None
                case _ if self.is_strict:
                    raise ValueError(f"json: unknown field {quote(key)}")
        return Stage(duration, target)

    def from_text(self, text: str) -> tuple[Stage, ...]:
        """Parse a flag's stages, of which each needs a duration."""
        stages = []
        for number, part in enumerate(text.split(",") if text else ()):
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

    def to_json(self, value: tuple[Stage, ...]) -> list[JsonObject]:
        return [
            {
                "duration": None if stage.duration is None else format_duration(stage.duration),
                "target": stage.target,
            }
            for stage in value
        ]


class ScenarioStages(Stages):
    """Stages of a scenario: k6 refuses unknown fields there."""

    go_type = "[]executor.Stage"
    item_type = "executor.Stage"
    is_strict = True


class Anything(Base):
    """Any JSON value. The user of the option checks it."""

    def from_json(self, value: object) -> object:
        return value


class Object(Base):
    """A JSON object. The user of the option checks its fields."""

    def __init__(self, go_type: str = "map[string]json.RawMessage") -> None:
        self.go_type = go_type

    def from_json(self, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise mismatch(value, self.go_type)
        return value


class AbortingThreshold(TypedDict):
    """A threshold that may abort the run, as an option has it."""

    threshold: str
    abortOnFail: bool
    delayAbortEval: str | None


class Thresholds(Base):
    """Thresholds: lists of entries by metric. An entry without abortOnFail is only its text."""

    go_type = "map[string]metrics.Thresholds"

    def from_json(self, value: object) -> dict[str, list[str | AbortingThreshold]]:
        if not isinstance(value, dict):
            raise mismatch(value, self.go_type)
        thresholds = {}
        for metric, entries in value.items():
            if entries is None:
                entries = []
            if not isinstance(entries, list):
                raise mismatch(entries, "[]metrics.thresholdConfig")
            thresholds[metric] = [self._entry(entry) for entry in entries]
        return thresholds

    def from_env(self, text: str) -> dict[str, list[str | AbortingThreshold]]:
        """Return each metric of `metric:anything,...` without entries: k6 ignores those of variables.

        Raises:
            ValueError: The text has another form, which k6 refuses.
        """
        return {metric: [] for metric in parse_pairs(text)}

    @staticmethod
    def _entry(entry: object) -> str | AbortingThreshold:
        """Check an entry; return only its text if it cannot abort the run."""
        if entry is None or isinstance(entry, str):
            return entry or ""
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
