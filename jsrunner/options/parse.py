"""Options from what the script exports, a config file, and the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import ConfigError
from jsrunner.options.mismatch import Mismatch, mismatch
from jsrunner.options.model import Options, Row, rows
from jsrunner.options.numbers import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names of options in Go, where these are more than the JSON names with a capital.
_GO_NAMES: Final = {
    "vus": "VUs",
    "rps": "RPS",
    "dns": "DNS",
    "httpDebug": "HTTPDebug",
    "tlsCipherSuites": "TLSCipherSuites",
    "blockHostnames": "BlockedHostnames",
    "tags": "RunTags",
}


def options_from_json(data: object, *, of_script: bool = False) -> tuple[Options, list[str]]:
    """(options, names of unknown fields). Raises ConfigError with Go's text, and the option as hint.

    k6 tells more of a value of a wrong type where it is `of_script`. Null says nothing.
    """
    if data is None:
        return Options(), []
    if not isinstance(data, dict):
        text = str(mismatch(data, "lib.Options"))
        raise ConfigError(script_mismatch(text, json.dumps(data)) if of_script else text)
    values: dict[str, Any] = {}
    known = {row.json.lower(): (one.name, row) for one, row in rows() if row.json}
    unknown = []
    for key, value in data.items():
        if key.lower() not in known:  # Go's JSON looks past the case of field names
            unknown.append(key)
            continue
        name, row = known[key.lower()]
        if value is None:
            continue
        try:
            values[name] = row.kind.from_json(value)
        except ValueError as error:
            if isinstance(error, Mismatch):
                error = error.within(f"Options.{row.json}")
            text = str(error)
            if of_script and isinstance(error, Mismatch):
                text = script_mismatch(text, f"{quote(key)}: {json.dumps(value)}")
            raise ConfigError(text, hint=f"the option {key} is {json.dumps(value)}") from None
    return Options(**values), unknown


def script_mismatch(text: str, line: str) -> str:
    """What k6 says of a value of a wrong type (`text`) in this line of the script's options."""
    return f"parsing options from script got error while parsing {quote(line)}: {text}"


def options_from_env(env: Mapping[str, str]) -> Options:
    """What K6_ variables say. Raises ConfigError naming the variable."""
    values: dict[str, Any] = {}
    for one, row in rows():
        text = env.get(row.variable) if row.variable else None
        if text is None or text == "":
            continue
        try:
            values[one.name] = row.kind.from_env(text)
        except ValueError as error:
            raise env_error(row, text, error) from None
    return Options(**values)


def env_error(row: Row, text: str, error: ValueError) -> ConfigError:
    """What is wrong with the text of an option's variable."""
    return ConfigError(
        f"envconfig.Process: assigning {row.variable} to {_go_name(row)}: converting "
        f"'{text}' to type {row.kind.go_type}. details: {error}"
    )


def _go_name(row: Row) -> str:
    name = row.json or row.variable.removeprefix("K6_").title().replace("_", "").replace("Ips", "IPs")
    return _GO_NAMES.get(name) or name[0].upper() + name[1:]
