"""Readers of options: from the script's export, from a config file, and from environment variables.

`flags` reads those of the command line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import ConfigError
from jsrunner.options.mismatch import Mismatch, mismatch
from jsrunner.options.model import OptionRow, Options, rows
from jsrunner.options.numbers import quote
from jsrunner.text import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Go's names of options by their JSON names, unless Go's name is the JSON name with a capital.
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
    """Read options from JSON.

    Args:
        data: The decoded JSON. Null, and options that are null, leave options unset.
        of_script: True if the options are the script's: k6's text for a wrong type is longer then.

    Returns:
        The options, and the names of unknown fields.

    Raises:
        ConfigError: A value is wrong. The text is Go's; the hint names the option and its value.
    """
    if data is None:
        return Options(), []
    if not isinstance(data, dict):
        text = str(mismatch(data, "lib.Options"))
        raise ConfigError(script_mismatch(text, json.dumps(data)) if of_script else text)
    values: dict[str, Any] = {}
    known = {row.json.lower(): (name, row) for name, row in rows() if row.json}
    unknown = []
    wrong_type: ConfigError | None = None
    for key, value in _mend(data).items():
        if key.lower() not in known:  # Go's JSON decoder ignores the case of field names
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
            wrong = ConfigError(text, hint=f"the option {key} is {json.dumps(value)}")
            if not isinstance(error, Mismatch):
                raise wrong from None
            wrong_type = wrong_type or wrong  # Go's decoder goes on after a wrong type
    if wrong_type is not None:
        raise wrong_type
    return Options(**values), unknown


def _mend(value: Any) -> Any:
    """Return decoded JSON without halves of surrogate pairs, which Go's decoder replaces by U+FFFD."""
    if isinstance(value, str):
        return mend_surrogates(value)
    if isinstance(value, dict):
        return {mend_surrogates(key): _mend(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mend(item) for item in value]
    return value


def script_mismatch(text: str, line: str) -> str:
    """Return k6's text for a value of a wrong type in the script's options.

    Args:
        text: The text of the `Mismatch`.
        line: The JSON in which the value stands.
    """
    return f"parsing options from script got error while parsing {quote(line)}: {text}"


def options_from_env(env: Mapping[str, str]) -> Options:
    """Read the options that `K6_` variables set.

    Args:
        env: The environment. Empty variables leave options unset.

    Raises:
        ConfigError: A value is wrong; the text names the variable.
    """
    values: dict[str, Any] = {}
    for name, row in rows():
        text = env.get(row.variable) if row.variable else None
        if text is None or text == "":
            continue
        try:
            values[name] = row.kind.from_env(text)
        except ValueError as error:
            raise env_error(row, text, error) from None
    return Options(**values)


def env_error(row: OptionRow, text: str, error: ValueError) -> ConfigError:
    """Make k6's error for a wrong value of an option's environment variable.

    Args:
        row: The option.
        text: The variable's value.
        error: The reason.
    """
    return ConfigError(
        f"envconfig.Process: assigning {row.variable} to {_go_name(row)}: converting "
        f"'{text}' to type {row.kind.go_type}. details: {error}"
    )


def _go_name(row: OptionRow) -> str:
    """Return the name of the option's field in k6's Go code."""
    name = row.json or row.variable.removeprefix("K6_").title().replace("_", "").replace("Ips", "IPs")
    return _GO_NAMES.get(name) or name[0].upper() + name[1:]
