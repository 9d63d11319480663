"""The command `jsrunner archive`: pack a script with its modules and files for `jsrunner run`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from jsrunner.cli.inputs import (
    command,
    open_script,
    read_config,
    read_selection,
    script_environment,
)
from jsrunner.coordinator.decide import decide
from jsrunner.coordinator.settings import RunSettings
from jsrunner.errors import ExitCode, UsageError
from jsrunner.messages.protocol import Log
from jsrunner.options import kinds
from jsrunner.options.flags import Flag, flags_of, options_from_flags
from jsrunner.options.model import to_json
from jsrunner.options.runtime import Globals, Runtime, read_runtime
from jsrunner.options.selection import Selection
from jsrunner.script import archive as archives
from jsrunner.secrets.sources import parse_sources
from jsrunner.worker.process import Process
from jsrunner.worker.vus import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Invocation

USAGE: Final = """Pack a k6 script with all modules and files that it uses.

Usage:
  jsrunner archive [flags] script.js"""


def flags() -> list[Flag]:
    """Return the flags of the command."""
    own = [
        Flag("archive-out", "path of the archive, `-` for standard output", "O", "file",
             default="archive.tar"),
        Flag("exclude-env-vars", "put no environment variables into the archive", bare="true",
             parse=kinds.Bool().from_text),
    ]  # fmt: skip
    return [*own, *flags_of(), *flags_of(Selection), *flags_of(Runtime), *flags_of(Globals)]


def archive(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _archive)


def _archive(invocation: Invocation) -> int:
    logger, environment = invocation.logger, invocation.environment
    flags, selection = options_from_flags(dict(invocation.flags)), read_selection(invocation.flags)
    config, more = read_config(invocation)
    runtime = read_runtime(Runtime, invocation.flags, environment, more)
    script = open_script(invocation.arguments, runtime.type)
    variables = script_environment(script, runtime, environment, system=False)

    def log(message: object) -> None:
        if isinstance(message, Log):
            logger.log(message.level, message.text, **message.fields)

    process = Process(
        script,
        environment=variables,
        secrets=parse_sources(invocation.globals.secret_source, environment),
        send=log,
    )
    decision = decide(
        load(process),
        script,
        config=config,
        flags=flags,
        settings=RunSettings(
            no_thresholds=runtime.no_thresholds, selection=selection, environment=environment
        ),
        logger=logger,
    )
    shown = to_json(decision.test.options, consolidated=False)
    kept = {} if invocation.flags.get("exclude-env-vars") else variables
    path = invocation.flags.get("archive-out") or "archive.tar"
    if path == "-":
        archives.write(script, shown, kept, sys.stdout.buffer)
        return ExitCode.SUCCESS
    try:
        with open(path, "wb") as file:
            archives.write(script, shown, kept, file)
    except OSError as error:
        raise UsageError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
    return ExitCode.SUCCESS
