"""The settings of a run that are no options of the test, with one row per setting as in `model`.

Flags win over K6_ variables, and these win over the configuration file. The configuration file has
only the settings with a JSON name.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from msgspec import Struct

from jsrunner.errors import ConfigError, UsageError
from jsrunner.options import kinds
from jsrunner.options.model import OptionRow, rows
from jsrunner.options.parse import env_error

#: k6's default of `--config`.
CONFIG_FILE: Final = "~/.config/k6/config.json"


class Runtime(Struct, frozen=True):
    """The settings of the command `run`."""

    env: Annotated[tuple[str, ...], OptionRow(
        "", kinds.Texts(), "add or override an environment variable, as `NAME=value`",
        flag="env", short="e", repeats=True, word="NAME=value")] = ()  # fmt: skip
    include_system_env_vars: Annotated[bool | None, OptionRow(
        "", kinds.Switch(), "give the script the system's environment",
        flag="include-system-env-vars", variable="K6_INCLUDE_SYSTEM_ENV_VARS", bare="true",
        default="true for run")] = None  # fmt: skip
    out: Annotated[tuple[str, ...], OptionRow(
        "out", kinds.Texts(), "send metrics to json, csv, influxdb, experimental-prometheus-rw, "
        "opentelemetry, statsd or an output that a package adds, e.g. `json=file`",
        flag="out", short="o", variable="K6_OUT", repeats=True, word="type[=arg]")] = ()  # fmt: skip
    no_thresholds: Annotated[bool, OptionRow(
        "", kinds.Switch(), "don't evaluate thresholds",
        flag="no-thresholds", variable="K6_NO_THRESHOLDS", bare="true")] = False  # fmt: skip
    summary_mode: Annotated[str, OptionRow(
        "", kinds.Choice(("compact", "full", "disabled"),
                     "invalid summary mode"),
        "end-of-test summary: compact, full or disabled",
        flag="summary-mode", variable="K6_SUMMARY_MODE", word="mode",
        default="compact")] = "compact"  # fmt: skip
    no_summary: Annotated[bool, OptionRow(
        "", kinds.Bool(), "as --summary-mode=disabled",
        flag="no-summary", bare="true")] = False  # fmt: skip
    summary_export: Annotated[str | None, OptionRow(
        "", kinds.Text(), "write the end-of-test summary as JSON to this file",
        flag="summary-export", variable="K6_SUMMARY_EXPORT", word="file")] = None  # fmt: skip
    save: Annotated[str | None, OptionRow(
        "", kinds.Text(), "record the run in this file, for `jsrunner report` and `jsrunner compare`",
        flag="save", variable="JSRUNNER_SAVE", word="file")] = None  # fmt: skip
    report: Annotated[str | None, OptionRow(
        "", kinds.Text(), "write a report of the run to this HTML file",
        flag="report", variable="K6_WEB_DASHBOARD_EXPORT", word="file")] = None  # fmt: skip
    web: Annotated[str | None, OptionRow(
        "", kinds.Text(), "show the run on a web page at this address, 127.0.0.1:5665 by default",
        flag="web", bare="127.0.0.1:5665", word="=address")] = None  # fmt: skip
    web_dashboard: Annotated[bool | None, OptionRow(
        "webDashboard", kinds.Bool(), "show the run on a web page, as --web does",
        variable="K6_WEB_DASHBOARD")] = None  # fmt: skip
    new_machine_readable_summary: Annotated[bool, OptionRow(
        "", kinds.Switch(), "k6's newer schema for handleSummary() and --summary-export",
        flag="new-machine-readable-summary", variable="K6_NEW_MACHINE_READABLE_SUMMARY",
        bare="true")] = False  # fmt: skip
    linger: Annotated[bool, OptionRow(
        "linger", kinds.Bool(), "keep the process and the REST API after the test until Ctrl+C",
        flag="linger", short="l", variable="K6_LINGER", bare="true")] = False  # fmt: skip
    features: Annotated[tuple[str, ...] | None, OptionRow(
        "features", kinds.Texts(), "enable experimental features (`jsrunner features` lists them)",
        flag="features", variable="K6_FEATURES", repeats=True, word="names")] = None  # fmt: skip
    type: Annotated[str, OptionRow(
        "", kinds.Text(),
        "type of the script file: js or archive; by default its content decides",
        flag="type", short="t", variable="K6_TYPE", word="type")] = ""  # fmt: skip
    compatibility_mode: Annotated[str, OptionRow(
        "", kinds.Choice(("extended", "base", "experimental_enhanced"),
                     'invalid compatibility mode "{}". Use: "extended", "base", '
                     '"experimental_enhanced"'),
        "extended or base; scripts run alike in both",
        flag="compatibility-mode", variable="K6_COMPATIBILITY_MODE", word="mode",
        default="extended")] = "extended"  # fmt: skip
    traces_output: Annotated[str, OptionRow(
        "", kinds.Choice(("none",), 'invalid traces output "{}"'),
        "only `none` is accepted, jsrunner writes no traces",
        flag="traces-output", variable="K6_TRACES_OUTPUT", word="output",
        default="none")] = "none"  # fmt: skip
    no_usage_report: Annotated[bool, OptionRow(
        "noUsageReport", kinds.Bool(), "accepted, jsrunner never reports its usage",
        flag="no-usage-report", variable="K6_NO_USAGE_REPORT", bare="true")] = False  # fmt: skip
    no_archive_upload: Annotated[bool, OptionRow(
        "noArchiveUpload", kinds.Bool(), "accepted, jsrunner never uploads archives",
        flag="no-archive-upload", variable="K6_NO_ARCHIVE_UPLOAD", bare="true")] = False  # fmt: skip
    with_server: Annotated[bool, OptionRow(
        "", kinds.Bool(), "start the bundled server for the run and set its URLs in __ENV",
        flag="with-server", bare="true")] = False  # fmt: skip
    max_body_size: Annotated[int, OptionRow(
        "", kinds.Size(), "maximum size of an HTTP response body, compressed and decompressed",
        flag="max-body-size", variable="JSRUNNER_MAX_BODY_SIZE",
        default="256MiB")] = 256 << 20  # fmt: skip
    max_frame_size: Annotated[int, OptionRow(
        "", kinds.Size(), "maximum size of a WebSocket frame from a server",
        flag="max-frame-size", variable="JSRUNNER_MAX_FRAME_SIZE",
        default="256MiB")] = 256 << 20  # fmt: skip
    max_message_size: Annotated[int, OptionRow(
        "", kinds.Size(), "maximum size of a WebSocket message from a server, also decompressed",
        flag="max-message-size", variable="JSRUNNER_MAX_MESSAGE_SIZE",
        default="256MiB")] = 256 << 20  # fmt: skip
    workers: Annotated[int | None, OptionRow(
        "", kinds.Int(), "maximum number of worker processes, at most 64 or one per core",
        flag="workers", default="one per core")] = None  # fmt: skip
    dask: Annotated[str | None, OptionRow(
        "", kinds.Text(), "run on a Dask cluster: the address of its scheduler, or local:N to try it",
        flag="dask", variable="JSRUNNER_DASK", word="address")] = None  # fmt: skip
    dask_insecure: Annotated[bool, OptionRow(
        "", kinds.Bool(), "accept Dask connections to other machines without TLS",
        flag="dask-insecure", bare="true")] = False  # fmt: skip
    tolerate_loss: Annotated[bool, OptionRow(
        "", kinds.Bool(), "go on without workers that are lost",
        flag="tolerate-loss", bare="true")] = False  # fmt: skip


class Dashboard(Struct, frozen=True):
    """k6's variables for its web dashboard, as `jsrunner run` understands them."""

    host: Annotated[str, OptionRow(
        "", kinds.Text(), "host of the page that K6_WEB_DASHBOARD shows; other machines need a token",
        variable="K6_WEB_DASHBOARD_HOST", default="127.0.0.1")] = "127.0.0.1"  # fmt: skip
    port: Annotated[str, OptionRow(
        "", kinds.Text(), "port of that page; 0 is a free port, -1 means no page",
        variable="K6_WEB_DASHBOARD_PORT", default="5665")] = "5665"  # fmt: skip
    open: Annotated[str, OptionRow(
        "", kinds.Text(), "`true` opens the page in the desktop's browser",
        variable="K6_WEB_DASHBOARD_OPEN")] = ""  # fmt: skip
    period: Annotated[str, OptionRow(
        "", kinds.Text(),
        "length of the steps of page, record and report, in whole seconds, e.g. `10s`",
        variable="K6_WEB_DASHBOARD_PERIOD", default="1s")] = "1s"  # fmt: skip
    tags: Annotated[tuple[str, ...], OptionRow(
        "", kinds.Texts(), "tags that charts can be split by",
        variable="K6_WEB_DASHBOARD_TAGS", default="all tags")] = ()  # fmt: skip
    record: Annotated[str | None, OptionRow(
        "", kinds.Text(), "another name of JSRUNNER_SAVE; k6 cannot read such a record",
        variable="K6_WEB_DASHBOARD_RECORD")] = None  # fmt: skip
    report: Annotated[str | None, OptionRow(
        "", kinds.Text(), "older name of K6_WEB_DASHBOARD_EXPORT",
        variable="K6_WEB_DASHBOARD_REPORT")] = None  # fmt: skip


class Globals(Struct, frozen=True):
    """The settings of every command."""

    address: Annotated[str, OptionRow(
        "", kinds.Text(), "address of the REST API, e.g. localhost:6565; without it there is no API",
        flag="address", short="a", variable="K6_ADDRESS", word="address")] = ""  # fmt: skip
    config: Annotated[str | None, OptionRow(
        "", kinds.Text(), "JSON file with options",
        flag="config", short="c", variable="K6_CONFIG", word="file",
        default=CONFIG_FILE)] = None  # fmt: skip
    log_output: Annotated[str, OptionRow(
        "", kinds.Text(), "stderr, stdout, none, file=path[,level=...] or loki[=url][,...]",
        flag="log-output", variable="K6_LOG_OUTPUT", word="output",
        default="stderr")] = "stderr"  # fmt: skip
    log_format: Annotated[str, OptionRow(
        "", kinds.Text(), "text, json or raw",
        flag="log-format", variable="K6_LOG_FORMAT", word="format",
        default="text")] = "text"  # fmt: skip
    log_ns_timestamps: Annotated[bool, OptionRow(
        "", kinds.Switch(), "write log timestamps with nanoseconds instead of seconds",
        flag="log-ns-timestamps", variable="K6_LOG_NS_TIMESTAMPS", bare="true")] = False  # fmt: skip
    secret_source: Annotated[tuple[str, ...], OptionRow(
        "", kinds.Lines(), "source of secrets for k6/secrets, e.g. `file=path`",
        flag="secret-source", variable="K6_SECRET_SOURCE", repeats=True,
        word="type[=arg]")] = ()  # fmt: skip
    no_color: Annotated[bool, OptionRow(
        "", kinds.Presence(), "disable colors, as the variable NO_COLOR does",
        flag="no-color", variable="K6_NO_COLOR", bare="true")] = False  # fmt: skip
    profiling_enabled: Annotated[bool, OptionRow(
        "", kinds.Bool(), "accepted, the REST API has no profiles",
        flag="profiling-enabled", bare="true")] = False  # fmt: skip
    quiet: Annotated[bool, OptionRow(
        "", kinds.Bool(), "show no banner and no progress",
        flag="quiet", short="q", bare="true")] = False  # fmt: skip
    verbose: Annotated[bool, OptionRow(
        "", kinds.Bool(), "log files read, options of each layer, VUs, scenarios, outputs",
        flag="verbose", short="v", bare="true")] = False  # fmt: skip
    help: Annotated[bool, OptionRow(
        "", kinds.Bool(), "show this help", flag="help", short="h", bare="true")] = False  # fmt: skip


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
        for name, row in rows(Runtime):
            value = data.get(row.json) if row.json else None
            if value is None:
                continue
            try:
                settings[name] = row.kind.from_json(value)
            except ValueError as error:
                raise ConfigError(str(error), hint=f"the setting {row.json} is {value!r}") from None
    return settings


def _from_env(settings_class: type[Any], environment: Mapping[str, str]) -> dict[str, Any]:
    settings = {}
    for name, row in rows(settings_class):
        text = environment.get(row.variable, "") if row.variable else ""
        if not text:
            continue
        try:
            settings[name] = row.kind.from_env(text)
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
    for name, row in rows(settings_class):
        if row.flag not in flags:
            continue
        value = flags[row.flag]
        try:
            if row.repeats:
                settings[name] = tuple(value)
            else:  # `FlagSet.parse` has parsed values of some kinds
                is_text = isinstance(value, str)
                settings[name] = row.kind.from_text(value) if is_text else value
        except ValueError as error:
            raise _usage_error(row, error) from None
    return settings


def _usage_error(row: OptionRow, error: ValueError) -> UsageError:
    return UsageError(str(error), hint=row.kind.hint if isinstance(row.kind, kinds.Choice) else None)
