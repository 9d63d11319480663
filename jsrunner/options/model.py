"""The options of a test, as a table with one row per option.

A row has an option's name in scripts, its type, the flag and the environment variable that set it, its
default and its meaning. The readers (`parse`, `flags`), the command line's help, the reference in the
docs and the consolidated JSON are made from these rows. `runtime` has the settings that are no options
of the test.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from jsrunner.options import kinds, network
from jsrunner.options.segment import Segment, SegmentKind, SequenceKind

if TYPE_CHECKING:
    from jsrunner.json_types import JsonObject
    from jsrunner.options.certificates import ClientCertificate

#: k6's default of the option summaryTrendStats: the columns of trends in the summary.
TREND_STATS: Final = ("avg", "min", "med", "max", "p(90)", "p(95)")

#: k6's default of the option systemTags: the system tags that samples carry.
SYSTEM_TAGS: Final = (
    "proto", "subproto", "status", "method", "url", "name", "group", "check", "error",
    "error_code", "tls_version", "scenario", "service", "expected_response",
)  # fmt: skip

#: k6's defaults of the options batch and batchPerHost: requests of http.batch at once.
BATCH: Final = 20
BATCH_PER_HOST: Final = 6


class OptionRow(Struct, frozen=True):
    """The description of one option or setting; the metadata `row` of its dataclass field."""

    #: The name in the script and in config files; "" if the option cannot be set there.
    json: str
    #: The type of the values.
    kind: kinds.Kind
    #: The meaning, for the help and the docs.
    help: str
    #: The flag's long name; "" if there is no flag.
    flag: str = ""
    #: The flag's letter; "" if there is none.
    short: str = ""
    #: The environment variable; "" if there is none.
    variable: str = ""
    #: The value of the flag without a value; None if the flag needs a value.
    bare: str | None = None
    #: True if several uses of the flag add up to a list.
    repeats: bool = False
    #: The default, as the help shows it.
    default: str = ""
    #: The placeholder of the flag's value in the help; "" for that of the kind.
    word: str = ""


def _row(json: str, kind: kinds.Kind, help: str, **more: Any) -> Any:
    """Declare an option that is unset by default."""
    return field(default=None, metadata={"row": OptionRow(json, kind, help, **more)})


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a test, of one layer or consolidated. Unset is None; durations are seconds."""

    paused: bool | None = _row(
        "paused", kinds.Bool(), "start the test in a paused state",
        flag="paused", short="p", variable="K6_PAUSED", bare="true")  # fmt: skip
    vus: int | None = _row(
        "vus", kinds.Int(), "number of virtual users",
        flag="vus", short="u", variable="K6_VUS", default="1")  # fmt: skip
    duration: float | None = _row(
        "duration", kinds.Duration(), "test duration limit",
        flag="duration", short="d", variable="K6_DURATION")  # fmt: skip
    iterations: int | None = _row(
        "iterations", kinds.Int(), "total iterations of the script, shared among all VUs",
        flag="iterations", short="i", variable="K6_ITERATIONS")  # fmt: skip
    stages: tuple[kinds.Stage, ...] | None = _row(
        "stages", kinds.Stages(), "add a stage, as `duration:target`",
        flag="stage", short="s", variable="K6_STAGES", repeats=True)  # fmt: skip
    scenarios: dict[str, Any] | None = _row(
        "scenarios", kinds.Object("map[string]lib.protoExecutorConfig"), "scenarios by name"
    )
    segment: Segment | None = _row(
        "executionSegment", SegmentKind(), "run only this part of the test, e.g. `0:1/3`",
        flag="execution-segment")  # fmt: skip
    segment_sequence: tuple[Segment, ...] | None = _row(
        "executionSegmentSequence", SequenceKind(), "the parts of all instances, e.g. `0,1/3,1`",
        flag="execution-segment-sequence")  # fmt: skip
    no_setup: bool | None = _row(
        "noSetup", kinds.Bool(), "don't run setup()",
        flag="no-setup", variable="K6_NO_SETUP", bare="true")  # fmt: skip
    setup_timeout: float | None = _row(
        "setupTimeout", kinds.Duration(), "longest duration of setup()",
        variable="K6_SETUP_TIMEOUT", default="60s")  # fmt: skip
    no_teardown: bool | None = _row(
        "noTeardown", kinds.Bool(), "don't run teardown()",
        flag="no-teardown", variable="K6_NO_TEARDOWN", bare="true")  # fmt: skip
    teardown_timeout: float | None = _row(
        "teardownTimeout", kinds.Duration(), "longest duration of teardown()",
        variable="K6_TEARDOWN_TIMEOUT", default="60s")  # fmt: skip
    handle_summary_timeout: float | None = _row(
        "handleSummaryTimeout", kinds.Duration(), "longest duration of handleSummary()",
        variable="K6_HANDLE_SUMMARY_TIMEOUT", default="120s")  # fmt: skip
    rps: int | None = _row(
        "rps", kinds.Int(), "limit of HTTP requests per second, 0 for none",
        flag="rps", variable="K6_RPS", default="0")  # fmt: skip
    dns: dict[str, str] | None = _row(
        "dns", network.DNS(), "DNS cache time, and the choice among a name's addresses",
        flag="dns", variable="K6_DNS", default="ttl=5m,select=random,policy=preferIPv4")  # fmt: skip
    max_redirects: int | None = _row(
        "maxRedirects", kinds.Int(), "follow at most n redirects",
        flag="max-redirects", variable="K6_MAX_REDIRECTS", default="10")  # fmt: skip
    user_agent: str | None = _row(
        "userAgent", kinds.Text(), "user agent for http and websocket requests",
        flag="user-agent", variable="K6_USER_AGENT")  # fmt: skip
    batch: int | None = _row(
        "batch", kinds.Int(), "max parallel batch requests",
        flag="batch", variable="K6_BATCH", default=str(BATCH))  # fmt: skip
    batch_per_host: int | None = _row(
        "batchPerHost", kinds.Int(), "max parallel batch requests per host",
        flag="batch-per-host", variable="K6_BATCH_PER_HOST",
        default=str(BATCH_PER_HOST))  # fmt: skip
    http_debug: str | None = _row(
        "httpDebug", kinds.Text(), "log all HTTP requests and responses; `full` with their bodies",
        flag="http-debug", variable="K6_HTTP_DEBUG", bare="headers")  # fmt: skip
    insecure_skip_tls_verify: bool | None = _row(
        "insecureSkipTLSVerify", kinds.Bool(), "skip verification of TLS certificates",
        flag="insecure-skip-tls-verify", variable="K6_INSECURE_SKIP_TLS_VERIFY",
        bare="true")  # fmt: skip
    tls_cipher_suites: tuple[str, ...] | None = _row(
        "tlsCipherSuites", network.CipherSuites(), "allowed cipher suites, by Go's names",
        variable="K6_TLS_CIPHER_SUITES")  # fmt: skip
    tls_version: tuple[str | None, str | None] | None = _row(
        "tlsVersion", network.TLSVersion(), "allowed TLS versions"
    )
    tls_auth: list[ClientCertificate] | None = _row(
        "tlsAuth", network.TLSAuth(), "client certificates: [{cert, key, password, domains}]"
    )
    tls_aia_fetch: bool | None = _row(
        "tlsAIAFetch", kinds.Bool(), "fetch certificates that the server's chain lacks",
        variable="K6_TLS_AIA_FETCH")  # fmt: skip
    throw: bool | None = _row(
        "throw", kinds.Bool(), "throw exceptions on failed requests",
        flag="throw", short="w", variable="K6_THROW", bare="true")  # fmt: skip
    thresholds: dict[str, list[Any]] | None = _row(
        "thresholds", kinds.Thresholds(), "conditions on metrics that decide if the test passes",
        variable="K6_THRESHOLDS")  # fmt: skip
    blacklist_ips: tuple[str, ...] | None = _row(
        "blacklistIPs", network.CIDRs(), "refuse connections to these CIDR ranges",
        flag="blacklist-ip", variable="K6_BLACKLIST_IPS", repeats=True)  # fmt: skip
    block_hostnames: tuple[str, ...] | None = _row(
        "blockHostnames", network.Hostnames(), "refuse connections to these names, e.g. `*.test`",
        flag="block-hostnames", variable="K6_BLOCK_HOSTNAMES", repeats=True)  # fmt: skip
    hosts: dict[str, str] | None = _row(
        "hosts", network.Hosts(), "addresses for names: {name[:port]: ip[:port]}"
    )
    no_connection_reuse: bool | None = _row(
        "noConnectionReuse", kinds.Bool(), "disable keep-alive connections",
        flag="no-connection-reuse", variable="K6_NO_CONNECTION_REUSE", bare="true")  # fmt: skip
    no_vu_connection_reuse: bool | None = _row(
        "noVUConnectionReuse", kinds.Bool(), "don't reuse connections between iterations",
        flag="no-vu-connection-reuse", variable="K6_NO_VU_CONNECTION_REUSE",
        bare="true")  # fmt: skip
    min_iteration_duration: float | None = _row(
        "minIterationDuration", kinds.Duration(), "shortest duration of an iteration",
        flag="min-iteration-duration", variable="K6_MIN_ITERATION_DURATION")  # fmt: skip
    cloud: JsonObject | None = _row("cloud", kinds.Anything(), "left for k6's cloud")
    ext: JsonObject | None = _row("ext", kinds.Object(), "left for other tools")
    summary_trend_stats: tuple[str, ...] | None = _row(
        "summaryTrendStats", kinds.TrendStats(),
        "stats of trend metrics in the summary, of avg, min, med, max, count, p(N)",
        flag="summary-trend-stats", variable="K6_SUMMARY_TREND_STATS", repeats=True,
        default=",".join(TREND_STATS))  # fmt: skip
    summary_time_unit: str | None = _row(
        "summaryTimeUnit", kinds.TimeUnit(),
        "time unit of the summary: s, ms or us; without it each value has a unit that fits",
        flag="summary-time-unit", variable="K6_SUMMARY_TIME_UNIT")  # fmt: skip
    system_tags: tuple[str, ...] | None = _row(
        "systemTags", kinds.SystemTags(), "only include these system tags in metrics",
        flag="system-tags", variable="K6_SYSTEM_TAGS", repeats=True,
        default=",".join(SYSTEM_TAGS))  # fmt: skip
    tags: dict[str, str] | None = _row(
        "tags", kinds.TextMap(), "add a tag to all samples, as `name=value`",
        flag="tag", variable="K6_TAGS", repeats=True)  # fmt: skip
    metric_samples_buffer_size: int | None = _row(
        "metricSamplesBufferSize", kinds.Int(), "accepted, without effect here",
        variable="K6_METRIC_SAMPLES_BUFFER_SIZE")  # fmt: skip
    no_cookies_reset: bool | None = _row(
        "noCookiesReset", kinds.Bool(), "keep cookies between iterations",
        variable="K6_NO_COOKIES_RESET")  # fmt: skip
    discard_response_bodies: bool | None = _row(
        "discardResponseBodies", kinds.Bool(), "read but don't keep HTTP response bodies",
        flag="discard-response-bodies", variable="K6_DISCARD_RESPONSE_BODIES",
        bare="true")  # fmt: skip
    features: tuple[str, ...] | None = _row(
        "features", kinds.Texts(), "only in a config file: features to enable"
    )
    console_output: str | None = _row(
        "", kinds.Text(), "write the script's console output to this file",
        flag="console-output", variable="K6_CONSOLE_OUTPUT")  # fmt: skip
    local_ips: str | None = _row(
        "", network.AddressRanges(), "client addresses, ranges or CIDRs, one per VU in rotation",
        flag="local-ips", variable="K6_LOCAL_IPS")  # fmt: skip

    def trend_stats(self) -> tuple[str, ...]:
        """Return the columns of trends in the summary, or k6's default."""
        return TREND_STATS if self.summary_trend_stats is None else self.summary_trend_stats

    def enabled_system_tags(self) -> frozenset[str]:
        """Return the system tags that samples carry, or k6's default."""
        return frozenset(SYSTEM_TAGS if self.system_tags is None else self.system_tags)


def rows(rows_class: type[Any] = Options) -> list[tuple[Field[Any], OptionRow]]:
    """Return the dataclass fields of a class in order, each with its row."""
    return [(attribute, attribute.metadata["row"]) for attribute in fields(rows_class)]


#: The options of the load. A layer that sets one of these discards those of lower layers.
SHORTCUTS: Final = ("duration", "iterations", "stages", "scenarios")

#: The options that consolidated options leave out, because `scenarios` replaces them.
_FOLDED: Final = ("vus", "duration", "iterations", "stages")


def to_json(options: Options, *, consolidated: bool) -> JsonObject:
    """Return options in k6's JSON shape; unset options are null.

    Args:
        options: The options.
        consolidated: True if the shape is that of `exec.test.options`: with defaults, and without the
            shortcuts for scenarios.
    """
    shown: JsonObject = {}
    for attribute, row in rows():
        if consolidated and attribute.name in _FOLDED:
            continue
        name = row.json or ("consoleOutput" if attribute.name == "console_output" else "localIPs")
        value = getattr(options, attribute.name)
        shown[name] = None if value is None else row.kind.to_json(value)
    if consolidated:
        if options.cloud is None:
            del shown["cloud"]
        shown["dns"] = shown["dns"] or network.DNS().to_json({})
        shown["systemTags"] = sorted(options.enabled_system_tags()) or None
        shown["summaryTrendStats"] = list(options.trend_stats())
    return shown
