"""`jsrunner run`: flags, files and variables become a run."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from jsrunner import K6_VERSION, __version__
from jsrunner.coordinator.run import Run, Settings
from jsrunner.errors import ConfigError, ExitCode, JsrunnerError, UsageError
from jsrunner.executors.registry import scenarios_from_json
from jsrunner.options import kinds
from jsrunner.options.flags import Flag, FlagSet, option_flags, options_from_flags
from jsrunner.options.parse import options_from_json
from jsrunner.outputs.registry import parse_output
from jsrunner.script.script import Script
from jsrunner.secrets.sources import Secrets, parse_sources
from jsrunner.ui.display import QuietDisplay
from jsrunner.ui.log import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from jsrunner.options.model import Options
    from jsrunner.server.process import ServerProcess
    from jsrunner.ui.display import Display

_BOOL: Final = kinds.Bool().from_text
_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")

#: Where k6 keeps its configuration.
_CONFIG_FILE: Final = "~/.config/k6/config.json"


def _switch(name: str, help: str, short: str = "") -> Flag:
    return Flag(name, help, short=short, bare="true", parse=_BOOL)


#: Flags of `run` that are no options of the test.
RUN_FLAGS: Final = (
    Flag("env", "add or override an environment variable, as `NAME=value`", "e", "VAR=value",
         repeats=True),
    Flag("out", "send metrics to json, csv, influxdb, experimental-prometheus-rw, opentelemetry, "
         "statsd or an output that a package adds, e.g. `json=file`", "o", "type[=arg]", repeats=True),
    Flag("summary-export", "write the end-of-test summary as JSON to this file", word="file"),
    Flag("summary-mode", "end-of-test summary: compact, full or disabled", word="mode"),
    _switch("no-summary", "as --summary-mode=disabled"),
    _switch("no-thresholds", "don't evaluate thresholds"),
    Flag("include-system-env-vars", "give the script the system's environment", bare="true",
         parse=_BOOL),
    _switch("with-server", "start the bundled server for the run and set its URLs in __ENV"),
    Flag("workers", "number of worker processes (one per core)", word="int",
         parse=kinds.Int().from_text),
    _switch("no-usage-report", "accepted, nothing is ever reported"),
)  # fmt: skip

#: Flags of every command.
GLOBAL_FLAGS: Final = (
    Flag("config", "JSON file with options", "c", "file"),
    Flag("log-format", "text, json or raw", word="format"),
    Flag("log-output", "stderr, stdout, none, file=path[,level=...]", word="output"),
    Flag(
        "secret-source",
        "where k6/secrets finds secrets, e.g. `file=path`",
        word="type[=arg]",
        repeats=True,
    ),
    _switch("no-color", "no colors"),
    _switch("quiet", "no banner, no progress", "q"),
    _switch("verbose", "log what is done in detail", "v"),
    _switch("help", "help", "h"),
)

_USAGE: Final = """Run a k6 script.

Usage:
  jsrunner run [flags] script.js

Flags:
"""


def run(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    flags = FlagSet([*option_flags(), *RUN_FLAGS, *GLOBAL_FLAGS])
    environment = os.environ
    try:
        values, arguments = flags.parse(words)
    except UsageError as error:
        return report(_early_logger(words), error)
    if values.get("help"):
        print(_USAGE + flags.help())
        return ExitCode.SUCCESS
    try:
        logger = _logger(values, environment)
    except JsrunnerError as error:
        return report(Logger(), error)
    try:
        options = options_from_flags(values)
        script = read_script(arguments)
        config = read_config(values, environment)
        with _server(values) as server:
            if server is not None:
                os.environ.update(server.trust)
            return _execute(values, options, script, config, logger, environment, server)
    except JsrunnerError as error:
        return report(logger, error)
    finally:
        logger.close()


def report(logger: Logger, error: JsrunnerError) -> int:
    """Log an error that ends the command; its exit code."""
    if str(error):
        fields: dict[str, Any] = {} if error.hint is None else {"hint": error.hint}
        logger.log("error", str(error), **fields)
    return error.exit_code


def _execute(
    values: dict[str, Any],
    options: Options,
    script: Script,
    config: Options | None,
    logger: Logger,
    environment: Mapping[str, str],
    server: ServerProcess | None,
) -> int:
    variables = {
        **script.archived_variables,
        **script_variables(values, environment, server.variables if server else {}),
    }
    outputs = [*values.get("out", ())]
    if not outputs and environment.get("K6_OUT"):
        outputs = environment["K6_OUT"].split(",")
    no_color = _no_color(values, environment)
    mode = values.get("summary-mode") or environment.get("K6_SUMMARY_MODE") or "compact"
    if values.get("no-summary"):
        mode = "disabled"
    if mode not in ("compact", "full", "disabled"):
        raise UsageError(f"invalid summary mode '{mode}', use 'compact', 'full' or 'disabled'")
    if values.get("workers", 1) < 1:
        raise UsageError(f"invalid number of workers {values['workers']}, there must be at least 1")
    settings = Settings(
        outputs=tuple(parse_output(one, environment) for one in outputs),
        summary_mode=mode,
        summary_export=values.get("summary-export") or environment.get("K6_SUMMARY_EXPORT"),
        no_thresholds=_flag(values, environment, "no-thresholds", "K6_NO_THRESHOLDS"),
        no_color=no_color,
        quiet=bool(values.get("quiet")),
        script_environment=variables,
        environment=environment,
        secrets=_secrets(values, environment),
        workers=values.get("workers"),
        user_agent=f"Grafana k6/{K6_VERSION} (jsrunner/{__version__})",
    )
    return Run(
        script,
        config=config,
        flags=options,
        settings=settings,
        logger=logger,
        display=_display(settings, logger),
        companion=server,
    ).execute()


def _secrets(values: Mapping[str, Any], environment: Mapping[str, str]) -> Secrets:
    specs = values.get("secret-source")
    if not specs and (one := environment.get("K6_SECRET_SOURCE")):
        specs = [one]
    return parse_sources(specs or (), environment)


def _server(values: Mapping[str, Any]) -> AbstractContextManager[ServerProcess | None]:
    """The bundled server, if it is wanted."""
    if not values.get("with-server"):
        return contextlib.nullcontext()
    from jsrunner.server.process import ServerProcess

    return ServerProcess()


def _display(settings: Settings, logger: Logger) -> Display:
    """The display for standard output as it is, below the banner; none of both if it is to be quiet."""
    if settings.quiet:
        return QuietDisplay()
    from jsrunner.ui.description import banner
    from jsrunner.ui.output import write

    live = _is_live(settings)
    color = live and not settings.no_color
    write(sys.stdout, banner(__version__, color=color))
    if live:
        from jsrunner.ui.live import LiveDisplay

        return LiveDisplay(sys.stdout, logger, color=color)
    from jsrunner.ui.plain import PlainDisplay

    return PlainDisplay(sys.stdout)


def _is_live(settings: Settings) -> bool:
    """Whether lines can be drawn in place: on a terminal that knows how, and that is ours alone."""
    shared = any(one.to_stdout for one in settings.outputs)
    return sys.stdout.isatty() and settings.environment.get("TERM", "dumb") != "dumb" and not shared


def _flag(values: Mapping[str, Any], environment: Mapping[str, str], flag: str, variable: str) -> bool:
    if flag in values:
        return bool(values[flag])
    text = environment.get(variable)
    try:
        return _BOOL(text) if text else False
    except ValueError as error:
        raise UsageError(f"env var '{variable}' is not a valid boolean value: {error}") from None


def _no_color(values: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    return bool(values.get("no-color") or environment.get("K6_NO_COLOR") or "NO_COLOR" in environment)


def read_script(arguments: Sequence[str]) -> Script:
    """The script, or the archive of one, that the arguments name. Raises JsrunnerError."""
    if len(arguments) != 1:
        raise UsageError(
            f'accepts 1 arg(s), received {len(arguments)}: arg should either be "-", if reading '
            "script from stdin, or a path to a script file"
        )
    path = arguments[0]
    if path == "-":
        return Script("-", source=sys.stdin.read())
    return Script.at(path)


def script_variables(
    values: Mapping[str, Any], environment: Mapping[str, str], server: Mapping[str, str]
) -> dict[str, str]:
    """__ENV: the system's variables, those of the bundled server, those of -e."""
    found: dict[str, str] = {}
    if values.get("include-system-env-vars", True):
        found.update(environment)
    found.update(server)
    for pair in values.get("env", ()):
        name, _, value = pair.partition("=")
        if not _VARIABLE.match(name):
            raise UsageError(f"invalid environment variable name '{name}'")
        found[name] = value
    return found


def read_config(values: Mapping[str, Any], environment: Mapping[str, str]) -> Options | None:
    """Options of the configuration file. Raises ConfigError."""
    named = values.get("config") or environment.get("K6_CONFIG")
    path = os.path.abspath(named or os.path.expanduser(_CONFIG_FILE))
    prefix = "failed to load the configuration file from the local file system: "
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError:
        if not named:
            return None
        raise ConfigError(f"{prefix}stat {path}: no such file or directory") from None
    except OSError as error:
        raise ConfigError(f"{prefix}open {path}: {(error.strerror or '').lower()}") from None
    except ValueError as error:
        raise ConfigError(f'{prefix}couldn\'t parse the configuration from "{path}": {error}') from None
    try:
        options = options_from_json(data)[0]
        scenarios_from_json(options.scenarios or {})
    except ConfigError as error:
        text = f'{prefix}couldn\'t parse the configuration from "{path}": {error}'
        raise ConfigError(text, hint=error.hint) from None
    return options


def _logger(values: Mapping[str, Any], environment: Mapping[str, str]) -> Logger:
    return Logger(
        format=values.get("log-format") or environment.get("K6_LOG_FORMAT") or "text",
        output=values.get("log-output") or environment.get("K6_LOG_OUTPUT") or "stderr",
        verbose=bool(values.get("verbose")),
        no_color=_no_color(values, environment),
        console_output=values.get("console-output") or environment.get("K6_CONSOLE_OUTPUT"),
    )


def _early_logger(words: Sequence[str]) -> Logger:
    """The flags cannot be read, so neither can those that say how to log."""
    return Logger()
