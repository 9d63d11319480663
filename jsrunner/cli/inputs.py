"""The inputs of commands: flags, environment variables, the configuration file, the script."""

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
from jsrunner.script.script import ScriptBundle
from jsrunner.ui.log import Logger
from jsrunner.version import K6_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from jsrunner.options.flags import Flag
    from jsrunner.options.model import Options

_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


class Invocation(Struct, frozen=True):
    """A parsed command line with its environment. `command` makes it for the body of a command."""

    #: The flags' values by name; a list for a flag that repeats.
    flags: Mapping[str, Any]
    arguments: Sequence[str]
    #: The settings of every command.
    globals: Globals
    environment: Mapping[str, str]
    logger: Logger


def command(
    words: Sequence[str], flags: Iterable[Flag], usage: str, body: Callable[[Invocation], int]
) -> int:
    """Parse the command line, then run the command or show its help.

    Args:
        words: The words behind the command's name.
        flags: The command's flags.
        usage: The first part of the help.
        body: The command; returns the exit code.

    Returns:
        The exit code. Errors of jsrunner are logged.
    """
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
    except JsrunnerError as error:  # the settings of the log may be wrong, so the default log is used
        return report(Logger(), error)
    logger.log("debug", f"jsrunner {__version__} (k6 {K6_VERSION}) on Python {sys.version.split()[0]}")
    try:
        return body(Invocation(values, arguments, shared, environment, logger))
    except JsrunnerError as error:
        return report(logger, error)
    except MemoryError:
        return report(logger, JsrunnerError("out of memory", exit_code=ExitCode.INTERNAL_ERROR))
    finally:
        logger.close()


def report(logger: Logger, error: JsrunnerError) -> int:
    """Log an error that ends the command. If the log is remote, log it to standard error, too.

    Returns:
        The error's exit code.
    """
    if str(error):
        logger.log("error", str(error), **error.log_fields)
        if logger.is_remote:
            Logger().log("error", str(error), **error.log_fields)
    return error.exit_code


def no_color(shared: Globals, environment: Mapping[str, str]) -> bool:
    """Return True if colors are disabled (see https://no-color.org)."""
    return shared.no_color or "NO_COLOR" in environment


def open_script(arguments: Sequence[str], kind: str = "") -> ScriptBundle:
    """Open the script, or the archive of a script, that is a command's only argument.

    Args:
        arguments: The command's arguments. `-` is standard input.
        kind: js or archive; "" to decide by the file's content.

    Raises:
        JsrunnerError: There is not exactly one argument, or the file cannot be read.
    """
    if len(arguments) != 1:
        raise UsageError(
            f'accepts 1 arg(s), received {len(arguments)}: arg should either be "-", if reading '
            "script from stdin, or a path to a script file"
        )
    path = arguments[0]
    if kind not in ("", "js", "archive"):
        raise JsrunnerError(
            f"could not initialize '{path}': unknown or unspecified test type '{kind}' for "
            f"'{ScriptBundle(path).url}'",
            hint="use js or archive",
        )
    if path == "-":
        return ScriptBundle("-", source=sys.stdin.read())
    if kind == "js":
        return ScriptBundle(path)
    if kind == "archive":
        from jsrunner.script import archive

        return ScriptBundle(path, archive=archive.read(path))
    return ScriptBundle.at(path)


def read_config(invocation: Invocation) -> tuple[Options | None, dict[str, Any]]:
    """Read the configuration file. The file at the default path may be missing.

    Returns:
        The options (None without a file), and the settings of `Runtime` by attribute.

    Raises:
        ConfigError: The file cannot be read, or a value in it is wrong.
    """
    named = invocation.globals.config
    path = named or os.path.expanduser(CONFIG_FILE)
    prefix = "failed to load the configuration file from the local file system: "
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        data = json.loads(text)
    except FileNotFoundError:
        if not named:
            return None, {}
        raise ConfigError(f"{prefix}stat {path}: no such file or directory") from None
    except OSError as error:
        raise ConfigError(f"{prefix}open {path}: {(error.strerror or '').lower()}") from None
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            from jsrunner.modules.k6.http.json_errors import reason

            error = ValueError(reason(text.encode()))
        raise ConfigError(f'{prefix}couldn\'t parse the configuration from "{path}": {error}') from None
    invocation.logger.log("debug", f"Read the configuration file {path}")
    try:
        options = options_from_json(data)[0]
        scenarios_from_json(options.scenarios or {})
        return options, runtime_from_json(data)
    except ConfigError as error:
        text = f'{prefix}couldn\'t parse the configuration from "{path}": {error}'
        raise ConfigError(text, hint=error.hint) from None


def read_selection(flags: Mapping[str, Any]) -> Selection:
    """Read the selection of scenarios.

    Args:
        flags: The flags' values by name.

    Raises:
        ConfigError: Other flags contradict the selection.
    """
    selection = read_runtime(Selection, flags, {})
    selection.check(flags)
    return selection


def script_environment(
    script: ScriptBundle,
    runtime: Runtime,
    environment: Mapping[str, str],
    *,
    system: bool,
    server: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the script's `__ENV`.

    From low to high: the variables of an archive, of the system, of the bundled server, of `--env`.

    Args:
        script: The script.
        runtime: The settings of the run.
        environment: The system's variables.
        system: True if the system's variables are included by default.
        server: The variables of the bundled server.

    Raises:
        UsageError: The name of a variable is invalid.
    """
    variables = dict(script.archived_variables)
    is_included = runtime.include_system_env_vars
    if system if is_included is None else is_included:
        variables.update(environment)
    variables.update(server or {})
    for pair in runtime.env:
        name, _, value = pair.partition("=")
        if not _VARIABLE.match(name):
            raise UsageError(f"invalid environment variable name '{name}'")
        variables[name] = value
    return variables
