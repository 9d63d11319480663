"""What a command is given: flags, K6_ variables, the configuration file, a script."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jsrunner.errors import ConfigError, ExitCode, JsrunnerError, UsageError
from jsrunner.executors.registry import scenarios_from_json
from jsrunner.options.flags import FlagSet
from jsrunner.options.parse import options_from_json
from jsrunner.options.runtime import CONFIG_FILE, Globals, Runtime, read_runtime, runtime_from_json
from jsrunner.options.selection import Selection
from jsrunner.script.script import Script
from jsrunner.ui.log import Logger
from jsrunner.version import K6_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from jsrunner.options.flags import Flag
    from jsrunner.options.model import Options

_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


class Given(Struct, frozen=True):
    """A command line that could be read, and the environment in which it was given."""

    flags: Mapping[str, Any]
    arguments: Sequence[str]
    globals: Globals
    environment: Mapping[str, str]
    logger: Logger


def command(
    words: Sequence[str], flags: Iterable[Flag], usage: str, body: Callable[[Given], int]
) -> int:
    """Read the command line, show the help if that is wanted, or do it; the exit code."""
    environment = os.environ
    flag_set = FlagSet(flags)
    try:
        values, arguments = flag_set.parse(words)
        if values.get("help"):
            print(f"{usage}\n\nFlags:\n{flag_set.help()}", flush=True)
            return ExitCode.SUCCESS
        shared = read_runtime(Globals, values, environment)
        logger = Logger(
            format=shared.log_format,
            output=shared.log_output,
            verbose=shared.verbose,
            no_color=no_color(shared, environment),
            ns_timestamps=shared.log_ns_timestamps,
            console_output=values.get("console-output") or environment.get("K6_CONSOLE_OUTPUT"),
        )
    except JsrunnerError as error:  # how to log is not known
        return report(Logger(), error)
    logger.log("debug", f"jsrunner {__version__} (k6 {K6_VERSION}) on Python {sys.version.split()[0]}")
    try:
        return body(Given(values, arguments, shared, environment, logger))
    except JsrunnerError as error:
        return report(logger, error)
    except MemoryError:
        return report(logger, JsrunnerError("out of memory", exit_code=ExitCode.INTERNAL_ERROR))
    finally:
        logger.close()


def report(logger: Logger, error: JsrunnerError) -> int:
    """Log an error that ends the command, here too if the log goes elsewhere; its exit code."""
    if str(error):
        logger.log("error", str(error), **error.log_fields)
        if logger.is_remote:
            Logger().log("error", str(error), **error.log_fields)
    return error.exit_code


def no_color(shared: Globals, environment: Mapping[str, str]) -> bool:
    return shared.no_color or "NO_COLOR" in environment


def open_script(arguments: Sequence[str], kind: str = "") -> Script:
    """The script, or the archive of one, that is a command's only argument.

    `kind` is js or archive where that is not to be told by the file. Raises JsrunnerError.
    """
    if len(arguments) != 1:
        raise UsageError(
            f'accepts 1 arg(s), received {len(arguments)}: arg should either be "-", if reading '
            "script from stdin, or a path to a script file"
        )
    path = arguments[0]
    if path == "-":
        return Script("-", source=sys.stdin.read())
    if kind == "js":
        return Script(path)
    if kind == "archive":
        from jsrunner.script import archive

        return Script(path, archive=archive.read(path))
    return Script.at(path)


def read_config(given: Given) -> tuple[Options | None, dict[str, Any]]:
    """(options, settings for Runtime) of the configuration file. Raises ConfigError.

    The one at the usual place may be missing.
    """
    named = given.globals.config
    path = os.path.abspath(named or os.path.expanduser(CONFIG_FILE))
    prefix = "failed to load the configuration file from the local file system: "
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError:
        if not named:
            return None, {}
        raise ConfigError(f"{prefix}stat {path}: no such file or directory") from None
    except OSError as error:
        raise ConfigError(f"{prefix}open {path}: {(error.strerror or '').lower()}") from None
    except ValueError as error:
        raise ConfigError(f'{prefix}couldn\'t parse the configuration from "{path}": {error}') from None
    given.logger.log("debug", f"Read the configuration file {path}")
    try:
        options = options_from_json(data)[0]
        scenarios_from_json(options.scenarios or {})
        return options, runtime_from_json(data)
    except ConfigError as error:
        text = f'{prefix}couldn\'t parse the configuration from "{path}": {error}'
        raise ConfigError(text, hint=error.hint) from None


def read_selection(flags: Mapping[str, Any]) -> Selection:
    """Return the selection of scenarios that the flags make.

    Raises:
        ConfigError: Flags contradict it.
    """
    selection = read_runtime(Selection, flags, {})
    selection.check(flags)
    return selection


def script_environment(
    script: Script,
    runtime: Runtime,
    environment: Mapping[str, str],
    *,
    system: bool,
    server: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """__ENV: an archive's variables, the system's (by default if `system`), the bundled server's,
    those of -e.

    Raises UsageError.
    """
    found = dict(script.archived_variables)
    wanted = runtime.include_system_env_vars
    if system if wanted is None else wanted:
        found.update(environment)
    found.update(server or {})
    for pair in runtime.env:
        name, _, value = pair.partition("=")
        if not _VARIABLE.match(name):
            raise UsageError(f"invalid environment variable name '{name}'")
        found[name] = value
    return found
