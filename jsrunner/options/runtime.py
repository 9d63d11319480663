"""The settings of a run that are no options of the test, with one row per setting as in `model`.

Flags win over K6_ variables, and these win over the configuration file. The configuration file has
only the settings with a JSON name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jsrunner.errors import ConfigError, UsageError
from jsrunner.options import kinds
from jsrunner.options.model import OptionRow, rows
from jsrunner.options.parse import env_error

if TYPE_CHECKING:
    from collections.abc import Mapping

#: k6's default of `--config`.
CONFIG_FILE: Final = "~/.config/k6/config.json"


def _row(
    kind: kinds.Kind, help: str, default: Any = None, *, json: str = "", shown: str = "", **more: Any
) -> Any:
    """Declare a setting.

    Args:
        kind: The type of its values.
        help: Its meaning.
        default: Its default.
        json: Its name in the configuration file.
        shown: The default as the help shows it, if that is not `default`.
        **more: Further fields of its row.
    """
    text = shown or (default if isinstance(default, str) else "")
    return field(default=default, metadata={"row": OptionRow(json, kind, help, default=text, **more)})


@dataclass(frozen=True, slots=True)
class Runtime:
    """The settings of the command `run`."""

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
    save: str | None = _row(
        kinds.Text(), "record the run in this file, for `jsrunner report` and `jsrunner compare`",
        flag="save", variable="JSRUNNER_SAVE", word="file")  # fmt: skip
    report: str | None = _row(
        kinds.Text(), "write a report of the run to this HTML file",
        flag="report", variable="K6_WEB_DASHBOARD_EXPORT", word="file")  # fmt: skip
    web: str | None = _row(
        kinds.Text(), "show the run on a web page at this address, 127.0.0.1:5665 by default",
        flag="web", bare="127.0.0.1:5665", word="=address")  # fmt: skip
    web_dashboard: bool | None = _row(
        kinds.Bool(), "show the run on a web page, as --web does", json="webDashboard",
        variable="K6_WEB_DASHBOARD")  # fmt: skip
    new_machine_readable_summary: bool = _row(
        kinds.Switch(), "k6's newer schema for handleSummary() and --summary-export", False,
        flag="new-machine-readable-summary", variable="K6_NEW_MACHINE_READABLE_SUMMARY",
        bare="true")  # fmt: skip
    linger: bool = _row(
        kinds.Bool(), "keep the process and the REST API after the test until Ctrl+C", False,
        json="linger", flag="linger", short="l", variable="K6_LINGER", bare="true")  # fmt: skip
    features: tuple[str, ...] | None = _row(
        kinds.Texts(), "enable experimental features (`jsrunner features` lists them)",
        json="features", flag="features", variable="K6_FEATURES", repeats=True,
        word="names")  # fmt: skip
    type: str = _row(
        kinds.Choice(("", "js", "archive"), "invalid test type '{}', use 'js' or 'archive'"),
        "type of the script file: js or archive; by default its content decides", "",
        flag="type", short="t", variable="K6_TYPE", word="type")  # fmt: skip
    compatibility_mode: str = _row(
        kinds.Choice(("extended", "base", "experimental_enhanced"),
                     'invalid compatibility mode "{}". Use: "extended", "base", '
                     '"experimental_enhanced"'),
        "extended or base; scripts run alike in both", "extended",
        flag="compatibility-mode", variable="K6_COMPATIBILITY_MODE", word="mode")  # fmt: skip
    traces_output: str = _row(
        kinds.Choice(("none",), 'invalid traces output "{}"'),
        "only `none` is accepted, jsrunner writes no traces", "none",
        flag="traces-output", variable="K6_TRACES_OUTPUT", word="output")  # fmt: skip
    no_usage_report: bool = _row(
        kinds.Bool(), "accepted, jsrunner never reports its usage", False, json="noUsageReport",
        flag="no-usage-report", variable="K6_NO_USAGE_REPORT", bare="true")  # fmt: skip
    no_archive_upload: bool = _row(
        kinds.Bool(), "accepted, jsrunner never uploads archives", False, json="noArchiveUpload",
        flag="no-archive-upload", variable="K6_NO_ARCHIVE_UPLOAD", bare="true")  # fmt: skip
    with_server: bool = _row(
        kinds.Bool(), "start the bundled server for the run and set its URLs in __ENV", False,
        flag="with-server", bare="true")  # fmt: skip
    max_body_size: int = _row(
        kinds.Size(), "maximum size of an HTTP response body, compressed and decompressed",
        256 << 20, shown="256MiB", flag="max-body-size", variable="JSRUNNER_MAX_BODY_SIZE")  # fmt: skip
    max_frame_size: int = _row(
        kinds.Size(), "maximum size of a WebSocket frame from a server",
        256 << 20, shown="256MiB",
        flag="max-frame-size", variable="JSRUNNER_MAX_FRAME_SIZE")  # fmt: skip
    max_message_size: int = _row(
        kinds.Size(), "maximum size of a WebSocket message from a server, also decompressed",
        256 << 20, shown="256MiB",
        flag="max-message-size", variable="JSRUNNER_MAX_MESSAGE_SIZE")  # fmt: skip
    workers: int | None = _row(
        kinds.Int(), "maximum number of worker processes, at most 64 or one per core",
        shown="one per core",
        flag="workers")  # fmt: skip
    dask: str | None = _row(
        kinds.Text(), "run on a Dask cluster: the address of its scheduler, or local:N to try it",
        flag="dask", variable="JSRUNNER_DASK", word="address")  # fmt: skip
    dask_insecure: bool = _row(
        kinds.Bool(), "accept Dask connections to other machines without TLS", False,
        flag="dask-insecure", bare="true")  # fmt: skip
    tolerate_loss: bool = _row(
        kinds.Bool(), "go on without workers that are lost", False,
        flag="tolerate-loss", bare="true")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dashboard:
    """k6's variables for its web dashboard, as `jsrunner run` understands them."""

    host: str = _row(
        kinds.Text(), "host of the page that K6_WEB_DASHBOARD shows; other machines need a token",
        "127.0.0.1", variable="K6_WEB_DASHBOARD_HOST")  # fmt: skip
    port: str = _row(
        kinds.Text(), "port of that page; 0 is a free port, -1 means no page", "5665",
        variable="K6_WEB_DASHBOARD_PORT")  # fmt: skip
    open: str = _row(
        kinds.Text(), "`true` opens the page in the desktop's browser", "",
        variable="K6_WEB_DASHBOARD_OPEN")  # fmt: skip
    period: str = _row(
        kinds.Text(), "length of the steps of page, record and report, in whole seconds, e.g. `10s`",
        "1s", variable="K6_WEB_DASHBOARD_PERIOD")  # fmt: skip
    tags: tuple[str, ...] = _row(
        kinds.Texts(), "tags that charts can be split by", (), shown="all tags",
        variable="K6_WEB_DASHBOARD_TAGS")  # fmt: skip
    record: str | None = _row(
        kinds.Text(), "another name of JSRUNNER_SAVE; k6 cannot read such a record",
        variable="K6_WEB_DASHBOARD_RECORD")  # fmt: skip
    report: str | None = _row(
        kinds.Text(), "older name of K6_WEB_DASHBOARD_EXPORT",
        variable="K6_WEB_DASHBOARD_REPORT")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Globals:
    """The settings of every command."""

    address: str = _row(
        kinds.Text(), "address of the REST API, e.g. localhost:6565; without it there is no API", "",
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
        kinds.Lines(), "source of secrets for k6/secrets, e.g. `file=path`", (),
        flag="secret-source", variable="K6_SECRET_SOURCE", repeats=True, word="type[=arg]")  # fmt: skip
    no_color: bool = _row(
        kinds.Presence(), "disable colors, as the variable NO_COLOR does", False,
        flag="no-color", variable="K6_NO_COLOR", bare="true")  # fmt: skip
    profiling_enabled: bool = _row(
        kinds.Bool(), "accepted, the REST API has no profiles", False,
        flag="profiling-enabled", bare="true")  # fmt: skip
    quiet: bool = _row(
        kinds.Bool(), "show no banner and no progress", False, flag="quiet", short="q", bare="true"
    )
    verbose: bool = _row(
        kinds.Bool(),
        "log files read, options of each layer, VUs, scenarios, outputs",
        False,
        flag="verbose",
        short="v",
        bare="true",
    )
    help: bool = _row(kinds.Bool(), "show this help", False, flag="help", short="h", bare="true")


_Settings = TypeVar("_Settings")


def read_runtime(
    settings_class: type[_Settings],
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    config: Mapping[str, Any] | None = None,
) -> _Settings:
    """Read settings from flags, environment variables and the configuration file.

    Args:
        settings_class: The class of the settings, whose fields have rows.
        flags: The flags' values, as `FlagSet.parse` returns them.
        environment: The environment.
        config: The settings of the configuration file, as `runtime_from_json` returns them.

    Raises:
        UsageError: A flag or a variable is wrong.
        ConfigError: A variable is wrong whose setting k6's configuration file has, too.
    """
    from_env, from_flags = _from_env(settings_class, environment), _from_flags(settings_class, flags)
    return settings_class(**{**(config or {}), **from_env, **from_flags})


def runtime_from_json(data: object) -> dict[str, Any]:
    """Read the settings of `Runtime` in a configuration file.

    Args:
        data: The decoded JSON.

    Returns:
        The values by the attributes' names, without those that are not set.

    Raises:
        ConfigError: A value is wrong.
    """
    settings: dict[str, Any] = {}
    if isinstance(data, dict):
        for attribute, row in rows(Runtime):
            value = data.get(row.json) if row.json else None
            if value is None:
                continue
            try:
                settings[attribute.name] = row.kind.from_json(value)
            except ValueError as error:
                raise ConfigError(str(error), hint=f"the setting {row.json} is {value!r}") from None
    return settings


def _from_env(settings_class: type[Any], environment: Mapping[str, str]) -> dict[str, Any]:
    settings = {}
    for attribute, row in rows(settings_class):
        text = environment.get(row.variable, "") if row.variable else ""
        if not text:
            continue
        try:
            settings[attribute.name] = row.kind.from_env(text)
        except ValueError as error:
            if row.json:
                raise env_error(row, text, error) from None
            if isinstance(row.kind, kinds.Bool):
                message = f"env var '{row.variable}' is not a valid boolean value: {error}"
                raise UsageError(message) from None
            raise _usage_error(row, error) from None
    return settings


def _from_flags(settings_class: type[Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for attribute, row in rows(settings_class):
        if row.flag not in flags:
            continue
        value = flags[row.flag]
        try:
            if row.repeats:
                settings[attribute.name] = tuple(value)
            else:  # `FlagSet.parse` has parsed values of some kinds
                is_text = isinstance(value, str)
                settings[attribute.name] = row.kind.from_text(value) if is_text else value
        except ValueError as error:
            raise _usage_error(row, error) from None
    return settings


def _usage_error(row: OptionRow, error: ValueError) -> UsageError:
    return UsageError(str(error), hint=row.kind.hint if isinstance(row.kind, kinds.Choice) else None)
