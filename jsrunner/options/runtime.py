"""How a run is done, besides the options of the test: one row each, as in `model`.

Flags win over K6_ variables, these over the configuration file, which can say the few that have a
JSON name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jsrunner.errors import ConfigError, UsageError
from jsrunner.options import kinds
from jsrunner.options.model import Row, rows
from jsrunner.options.parse import env_error

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where k6 keeps its configuration.
CONFIG_FILE: Final = "~/.config/k6/config.json"


def _row(
    kind: kinds.Kind, help: str, default: Any = None, *, json: str = "", shown: str = "", **more: Any
) -> Any:
    """`default` is the field's; `shown` is how the help tells it, if not by itself."""
    text = shown or (default if isinstance(default, str) else "")
    return field(default=default, metadata={"row": Row(json, kind, help, default=text, **more)})


@dataclass(frozen=True, slots=True)
class Runtime:
    """What `run` takes besides options."""

    env: tuple[str, ...] = _row(
        kinds.Texts(), "add or override an environment variable, as `NAME=value`", (),
        flag="env", short="e", repeats=True, word="NAME=value")  # fmt: skip
    include_system_env_vars: bool | None = _row(
        kinds.Switch(), "give the script the system's environment", shown="true for run",
        flag="include-system-env-vars", variable="K6_INCLUDE_SYSTEM_ENV_VARS", bare="true")  # fmt: skip
    out: tuple[str, ...] = _row(
        kinds.Texts(), "send metrics to json, csv, influxdb, experimental-prometheus-rw, "
        "opentelemetry, statsd or an output that a package adds, e.g. `json=file`", (), json="out",
        flag="out", short="o", variable="K6_OUT", repeats=True, word="type[=arg]")  # fmt: skip
    no_thresholds: bool = _row(
        kinds.Switch(), "don't evaluate thresholds", False,
        flag="no-thresholds", variable="K6_NO_THRESHOLDS", bare="true")  # fmt: skip
    summary_mode: str = _row(
        kinds.Choice(("compact", "full", "disabled"),
                     "invalid summary mode"),
        "end-of-test summary: compact, full or disabled", "compact",
        flag="summary-mode", variable="K6_SUMMARY_MODE", word="mode")  # fmt: skip
    no_summary: bool = _row(
        kinds.Bool(), "as --summary-mode=disabled", False, flag="no-summary", bare="true")  # fmt: skip
    summary_export: str | None = _row(
        kinds.Text(), "write the end-of-test summary as JSON to this file",
        flag="summary-export", variable="K6_SUMMARY_EXPORT", word="file")  # fmt: skip
    new_machine_readable_summary: bool = _row(
        kinds.Switch(), "k6's newer schema for handleSummary() and --summary-export", False,
        flag="new-machine-readable-summary", variable="K6_NEW_MACHINE_READABLE_SUMMARY",
        bare="true")  # fmt: skip
    linger: bool = _row(
        kinds.Bool(), "when the test is over, wait for Ctrl+C; the REST API stays", False,
        json="linger", flag="linger", short="l", variable="K6_LINGER", bare="true")  # fmt: skip
    features: tuple[str, ...] | None = _row(
        kinds.Texts(), "enable experimental features (`jsrunner features` lists them)",
        json="features", flag="features", variable="K6_FEATURES", repeats=True,
        word="names")  # fmt: skip
    type: str = _row(
        kinds.Choice(("", "js", "archive"), "invalid test type '{}', use 'js' or 'archive'"),
        "what the script is: js or archive; told by its content if it is not given", "",
        flag="type", short="t", variable="K6_TYPE", word="type")  # fmt: skip
    compatibility_mode: str = _row(
        kinds.Choice(("extended", "base", "experimental_enhanced"),
                     'invalid compatibility mode "{}". Use: "extended", "base", '
                     '"experimental_enhanced"'),
        "extended or base; scripts run alike in both", "extended",
        flag="compatibility-mode", variable="K6_COMPATIBILITY_MODE", word="mode")  # fmt: skip
    traces_output: str = _row(
        kinds.Choice(("none",), 'invalid traces output "{}"'),
        "accepted for `none`, there are no traces here", "none",
        flag="traces-output", variable="K6_TRACES_OUTPUT", word="output")  # fmt: skip
    no_usage_report: bool = _row(
        kinds.Bool(), "accepted, nothing is ever reported", False, json="noUsageReport",
        flag="no-usage-report", variable="K6_NO_USAGE_REPORT", bare="true")  # fmt: skip
    no_archive_upload: bool = _row(
        kinds.Bool(), "accepted, nothing is ever uploaded", False, json="noArchiveUpload",
        flag="no-archive-upload", variable="K6_NO_ARCHIVE_UPLOAD", bare="true")  # fmt: skip
    with_server: bool = _row(
        kinds.Bool(), "start the bundled server for the run and set its URLs in __ENV", False,
        flag="with-server", bare="true")  # fmt: skip
    max_body_size: int = _row(
        kinds.Size(), "most bytes that the body of an HTTP response may have, compressed or not",
        256 << 20, shown="256MiB", flag="max-body-size", variable="JSRUNNER_MAX_BODY_SIZE")  # fmt: skip
    max_frame_size: int = _row(
        kinds.Size(), "most bytes that a frame of a WebSocket server may have",
        256 << 20, shown="256MiB",
        flag="max-frame-size", variable="JSRUNNER_MAX_FRAME_SIZE")  # fmt: skip
    max_message_size: int = _row(
        kinds.Size(), "most bytes that a message of a WebSocket server may have, compressed or not",
        256 << 20, shown="256MiB",
        flag="max-message-size", variable="JSRUNNER_MAX_MESSAGE_SIZE")  # fmt: skip
    workers: int | None = _row(
        kinds.Int(), "most worker processes, up to 64 or one per core", shown="one per core",
        flag="workers")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Globals:
    """What every command takes."""

    address: str = _row(
        kinds.Text(), "address of the REST API, e.g. localhost:6565; there is none without it", "",
        flag="address", short="a", variable="K6_ADDRESS", word="address")  # fmt: skip
    config: str | None = _row(
        kinds.Text(), "JSON file with options", shown=CONFIG_FILE,
        flag="config", short="c", variable="K6_CONFIG", word="file")  # fmt: skip
    log_output: str = _row(
        kinds.Text(), "stderr, stdout, none, file=path[,level=...] or loki[=url][,...]", "stderr",
        flag="log-output", variable="K6_LOG_OUTPUT", word="output")  # fmt: skip
    log_format: str = _row(
        kinds.Text(), "text, json or raw", "text",
        flag="log-format", variable="K6_LOG_FORMAT", word="format")  # fmt: skip
    log_ns_timestamps: bool = _row(
        kinds.Switch(), "write log timestamps with nanoseconds instead of seconds", False,
        flag="log-ns-timestamps", variable="K6_LOG_NS_TIMESTAMPS", bare="true")  # fmt: skip
    secret_source: tuple[str, ...] = _row(
        kinds.Lines(), "where k6/secrets finds secrets, e.g. `file=path`", (),
        flag="secret-source", variable="K6_SECRET_SOURCE", repeats=True, word="type[=arg]")  # fmt: skip
    no_color: bool = _row(
        kinds.Given(), "no colors; NO_COLOR says the same", False,
        flag="no-color", variable="K6_NO_COLOR", bare="true")  # fmt: skip
    profiling_enabled: bool = _row(
        kinds.Bool(), "accepted, the REST API has no profiles", False,
        flag="profiling-enabled", bare="true")  # fmt: skip
    quiet: bool = _row(
        kinds.Bool(), "no banner, no progress", False, flag="quiet", short="q", bare="true"
    )
    verbose: bool = _row(
        kinds.Bool(),
        "log files read, options of each layer, VUs, scenarios, outputs",
        False,
        flag="verbose",
        short="v",
        bare="true",
    )
    help: bool = _row(kinds.Bool(), "this text", False, flag="help", short="h", bare="true")


T = TypeVar("T")


def read_runtime(
    of: type[T],
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    config: Mapping[str, Any] | None = None,
) -> T:
    """Settings from all that tells them; `config` is what `runtime_from_json` has found.

    Raises UsageError, and ConfigError for a variable that k6's configuration file knows too.
    """
    return of(**{**(config or {}), **_from_env(of, environment), **_from_flags(of, flags)})


def runtime_from_json(data: object) -> dict[str, Any]:
    """What a configuration file says of the settings of `Runtime`. Raises ConfigError."""
    found: dict[str, Any] = {}
    if isinstance(data, dict):
        for one, row in rows(Runtime):
            value = data.get(row.json) if row.json else None
            if value is None:
                continue
            try:
                found[one.name] = row.kind.from_json(value)
            except ValueError as error:
                raise ConfigError(str(error), hint=f"the setting {row.json} is {value!r}") from None
    return found


def _from_env(of: type[Any], environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for one, row in rows(of):
        text = environment.get(row.variable, "") if row.variable else ""
        if not text:
            continue
        try:
            found[one.name] = row.kind.from_env(text)
        except ValueError as error:
            if row.json:
                raise env_error(row, text, error) from None
            if isinstance(row.kind, kinds.Bool):
                message = f"env var '{row.variable}' is not a valid boolean value: {error}"
                raise UsageError(message) from None
            raise _usage_error(row, error) from None
    return found


def _from_flags(of: type[Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one, row in rows(of):
        if row.flag not in flags:
            continue
        given = flags[row.flag]
        try:
            if row.repeats:
                found[one.name] = tuple(given)
            else:
                found[one.name] = row.kind.from_text(given) if isinstance(given, str) else given
        except ValueError as error:
            raise _usage_error(row, error) from None
    return found


def _usage_error(row: Row, error: ValueError) -> UsageError:
    return UsageError(str(error), hint=row.kind.hint if isinstance(row.kind, kinds.Choice) else None)
