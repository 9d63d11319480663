"""Options from what the script exports, a config file, and the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jsrunner.errors import ConfigError, ExitCode
from jsrunner.options.model import Options, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A wrong value of these ends the run with the general exit code (as k6).
_GENERAL = ("summary_trend_stats", "dns")


def options_from_json(data: object) -> tuple[Options, list[str]]:
    """(options, names of unknown fields). Raises ConfigError with Go's text."""
    if not isinstance(data, dict):
        raise ConfigError(
            "parsing options from script got error while parsing json: cannot unmarshal value into "
            "Go value of type lib.Options"
        )
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
            code = ExitCode.GENERIC if name in _GENERAL else None
            raise ConfigError(
                str(error), exit_code=code, hint=f"the option {key} is {json.dumps(value)}"
            ) from None
    return Options(**values), unknown


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
            field = one.name.title().replace("_", "")
            raise ConfigError(
                f"envconfig.Process: assigning {row.variable} to {field}: converting '{text}'. "
                f"details: {error}"
            ) from None
    return Options(**values)
