"""`jsrunner archive`: a script with all that it needs in one file, which `jsrunner run` runs."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from jsrunner.cli.run import GLOBAL_FLAGS, RUN_FLAGS, read_config, read_script, report, script_variables
from jsrunner.errors import ExitCode, JsrunnerError, UsageError
from jsrunner.options.flags import Flag, FlagSet, option_flags, options_from_flags
from jsrunner.options.layers import consolidate
from jsrunner.options.model import to_json
from jsrunner.options.parse import options_from_env, options_from_json
from jsrunner.script import archive
from jsrunner.secrets.sources import Secrets
from jsrunner.ui.log import Logger
from jsrunner.worker.messages import Log
from jsrunner.worker.process import Process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.script.script import Script

_FLAGS: Final = (
    Flag("archive-out", "the archive's file, `-` for standard output", "O", "file"),
    Flag("exclude-env-vars", "put no environment variables into the archive", bare="true"),
)

_USAGE: Final = """Pack a k6 script with all modules and files that it uses.

Usage:
  jsrunner archive [flags] script.js

Flags:
"""


def run(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    shared = [one for one in RUN_FLAGS if one.name in ("env", "include-system-env-vars")]
    flags = FlagSet([*_FLAGS, *option_flags(), *shared, *GLOBAL_FLAGS])
    logger = Logger()
    try:
        values, arguments = flags.parse(words)
        if values.get("help"):
            print(_USAGE + flags.help())
            return ExitCode.SUCCESS
        _archive(values, read_script(arguments), logger)
    except JsrunnerError as error:
        return report(logger, error)
    finally:
        logger.close()
    return ExitCode.SUCCESS


def _archive(values: dict[str, Any], script: Script, logger: Logger) -> None:
    environment = os.environ
    values.setdefault("include-system-env-vars", False)
    variables = script_variables(values, environment, {})

    def say(message: object) -> None:
        if isinstance(message, Log):
            logger.log(message.level, message.text, **message.fields)

    process = Process(script, environment=variables, secrets=Secrets({}), say=say)
    described = process.new_vu(0).interpreter.call("describeScript")
    if described.get("optionsError"):
        raise JsrunnerError(f"error parsing script options: {described['optionsError']}")
    of_script = options_from_json(json.loads(described.get("options") or "{}"), of_script=True)[0]
    config = read_config(values, environment)
    layers = {} if config is None else {"config": config}
    layers |= {"script": of_script, "env": options_from_env(environment)}
    options, _ = consolidate(layers | {"cli": options_from_flags(values)})
    shown = to_json(options, consolidated=False)
    kept = {} if values.get("exclude-env-vars") else variables
    path = values.get("archive-out") or "archive.tar"
    if path == "-":
        archive.write(script, shown, kept, sys.stdout.buffer)
        return
    try:
        with open(path, "wb") as file:
            archive.write(script, shown, kept, file)
    except OSError as error:
        raise UsageError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
