"""The options of a test, as a table with one row per option.

A row has an option's name in scripts, its type, the flag and the environment variable that set it, its
default and its meaning. The readers (`parse`, `flags`), the command line's help, the reference in the
docs and the consolidated JSON are made from these rows. `runtime` has the settings that are no options
of the test.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Struct

from jsrunner.options import kinds, network
from jsrunner.options.certificates import ClientCertificate
from jsrunner.options.segment import Segment, SegmentKind, SequenceKind

if TYPE_CHECKING:
    from jsrunner.json_types import JsonObject

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
    """The description of one option or setting; the metadata of its annotation.

    `rows` reads the annotations, so a module with rows has no `from __future__ import annotations`.
    """

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


class Options(Struct, frozen=True):
    """The options of a test, of one layer or consolidated. Unset is None; durations are seconds."""

    paused: Annotated[bool | None, OptionRow(
        "paused", kinds.Bool(), "start the test in a paused state",
        flag="paused", short="p", variable="K6_PAUSED", bare="true")] = None  # fmt: skip
    vus: Annotated[int | None, OptionRow(
        "vus", kinds.Int(), "number of virtual users",
        flag="vus", short="u", variable="K6_VUS", default="1")] = None  # fmt: skip
    duration: Annotated[float | None, OptionRow(
        "duration", kinds.Duration(), "test duration limit",
        flag="duration", short="d", variable="K6_DURATION")] = None  # fmt: skip
    iterations: Annotated[int | None, OptionRow(
        "iterations", kinds.Int(), "total iterations of the script, shared among all VUs",
        flag="iterations", short="i", variable="K6_ITERATIONS")] = None  # fmt: skip
    stages: Annotated[tuple[kinds.Stage, ...] | None, OptionRow(
        "stages", kinds.Stages(), "add a stage, as `duration:target`",
        flag="stage", short="s", variable="K6_STAGES", repeats=True)] = None  # fmt: skip
    scenarios: Annotated[dict[str, Any] | None, OptionRow(
        "scenarios", kinds.Object("map[string]lib.protoExecutorConfig"),
        "scenarios by name")] = None  # fmt: skip
    segment: Annotated[Segment | None, OptionRow(
        "executionSegment", SegmentKind(), "run only this part of the test, e.g. `0:1/3`",
        flag="execution-segment")] = None  # fmt: skip
    segment_sequence: Annotated[tuple[Segment, ...] | None, OptionRow(
        "executionSegmentSequence", SequenceKind(), "the parts of all instances, e.g. `0,1/3,1`",
        flag="execution-segment-sequence")] = None  # fmt: skip
    no_setup: Annotated[bool | None, OptionRow(
        "noSetup", kinds.Bool(), "don't run setup()",
        flag="no-setup", variable="K6_NO_SETUP", bare="true")] = None  # fmt: skip
    setup_timeout: Annotated[float | None, OptionRow(
        "setupTimeout", kinds.Duration(), "longest duration of setup()",
        variable="K6_SETUP_TIMEOUT", default="60s")] = None  # fmt: skip
    no_teardown: Annotated[bool | None, OptionRow(
        "noTeardown", kinds.Bool(), "don't run teardown()",
        flag="no-teardown", variable="K6_NO_TEARDOWN", bare="true")] = None  # fmt: skip
    teardown_timeout: Annotated[float | None, OptionRow(
        "teardownTimeout", kinds.Duration(), "longest duration of teardown()",
        variable="K6_TEARDOWN_TIMEOUT", default="60s")] = None  # fmt: skip
    handle_summary_timeout: Annotated[float | None, OptionRow(
        "handleSummaryTimeout", kinds.Duration(), "longest duration of handleSummary()",
        variable="K6_HANDLE_SUMMARY_TIMEOUT", default="120s")] = None  # fmt: skip
    rps: Annotated[int | None, OptionRow(
        "rps", kinds.Int(), "limit of HTTP requests per second, 0 for none",
        flag="rps", variable="K6_RPS", default="0")] = None  # fmt: skip
    dns: Annotated[dict[str, str] | None, OptionRow(
        "dns", network.DNS(), "DNS cache time, and the choice among a name's addresses",
        flag="dns", variable="K6_DNS",
        default="ttl=5m,select=random,policy=preferIPv4")] = None  # fmt: skip
    max_redirects: Annotated[int | None, OptionRow(
        "maxRedirects", kinds.Int(), "follow at most n redirects",
        flag="max-redirects", variable="K6_MAX_REDIRECTS", default="10")] = None  # fmt: skip
    user_agent: Annotated[str | None, OptionRow(
        "userAgent", kinds.Text(), "user agent for http and websocket requests",
        flag="user-agent", variable="K6_USER_AGENT")] = None  # fmt: skip
    batch: Annotated[int | None, OptionRow(
        "batch", kinds.Int(), "max parallel batch requests",
        flag="batch", variable="K6_BATCH", default=str(BATCH))] = None  # fmt: skip
    batch_per_host: Annotated[int | None, OptionRow(
        "batchPerHost", kinds.Int(), "max parallel batch requests per host",
        flag="batch-per-host", variable="K6_BATCH_PER_HOST",
        default=str(BATCH_PER_HOST))] = None  # fmt: skip
    http_debug: Annotated[str | None, OptionRow(
        "httpDebug", kinds.Text(), "log all HTTP requests and responses; `full` with their bodies",
        flag="http-debug", variable="K6_HTTP_DEBUG", bare="headers")] = None  # fmt: skip
    insecure_skip_tls_verify: Annotated[bool | None, OptionRow(
        "insecureSkipTLSVerify", kinds.Bool(), "skip verification of TLS certificates",
        flag="insecure-skip-tls-verify", variable="K6_INSECURE_SKIP_TLS_VERIFY",
        bare="true")] = None  # fmt: skip
    tls_cipher_suites: Annotated[tuple[str, ...] | None, OptionRow(
        "tlsCipherSuites", network.CipherSuites(), "allowed cipher suites, by Go's names",
        variable="K6_TLS_CIPHER_SUITES")] = None  # fmt: skip
    tls_version: Annotated[tuple[str | None, str | None] | None, OptionRow(
        "tlsVersion", network.TLSVersion(), "allowed TLS versions")] = None  # fmt: skip
    tls_auth: Annotated[list[ClientCertificate] | None, OptionRow(
        "tlsAuth", network.TLSAuth(),
        "client certificates: [{cert, key, password, domains}]")] = None  # fmt: skip
    tls_aia_fetch: Annotated[bool | None, OptionRow(
        "tlsAIAFetch", kinds.Bool(), "fetch certificates that the server's chain lacks",
        variable="K6_TLS_AIA_FETCH")] = None  # fmt: skip
    throw: Annotated[bool | None, OptionRow(
        "throw", kinds.Bool(), "throw exceptions on failed requests",
        flag="throw", short="w", variable="K6_THROW", bare="true")] = None  # fmt: skip
    thresholds: Annotated[dict[str, list[str | kinds.AbortingThreshold]] | None, OptionRow(
        "thresholds", kinds.Thresholds(), "conditions on metrics that decide if the test passes",
        variable="K6_THRESHOLDS")] = None  # fmt: skip
    blacklist_ips: Annotated[tuple[str, ...] | None, OptionRow(
        "blacklistIPs", network.CIDRs(), "refuse connections to these CIDR ranges",
        flag="blacklist-ip", variable="K6_BLACKLIST_IPS", repeats=True)] = None  # fmt: skip
    block_hostnames: Annotated[tuple[str, ...] | None, OptionRow(
        "blockHostnames", network.Hostnames(), "refuse connections to these names, e.g. `*.test`",
        flag="block-hostnames", variable="K6_BLOCK_HOSTNAMES", repeats=True)] = None  # fmt: skip
    hosts: Annotated[dict[str, str] | None, OptionRow(
        "hosts", network.Hosts(), "addresses for names: {name[:port]: ip[:port]}")] = None  # fmt: skip
    no_connection_reuse: Annotated[bool | None, OptionRow(
        "noConnectionReuse", kinds.Bool(), "disable keep-alive connections",
        flag="no-connection-reuse", variable="K6_NO_CONNECTION_REUSE", bare="true")] = None  # fmt: skip
    no_vu_connection_reuse: Annotated[bool | None, OptionRow(
        "noVUConnectionReuse", kinds.Bool(), "don't reuse connections between iterations",
        flag="no-vu-connection-reuse", variable="K6_NO_VU_CONNECTION_REUSE",
        bare="true")] = None  # fmt: skip
    min_iteration_duration: Annotated[float | None, OptionRow(
        "minIterationDuration", kinds.Duration(), "shortest duration of an iteration",
        flag="min-iteration-duration", variable="K6_MIN_ITERATION_DURATION")] = None  # fmt: skip
    cloud: Annotated[dict[str, Any] | None, OptionRow(
        "cloud", kinds.Anything(), "left for k6's cloud")] = None  # fmt: skip
    ext: Annotated[dict[str, Any] | None, OptionRow(
        "ext", kinds.Object(), "left for other tools")] = None  # fmt: skip
    summary_trend_stats: Annotated[tuple[str, ...] | None, OptionRow(
        "summaryTrendStats", kinds.TrendStats(),
        "stats of trend metrics in the summary, of avg, min, med, max, count, p(N)",
        flag="summary-trend-stats", variable="K6_SUMMARY_TREND_STATS", repeats=True,
        default=",".join(TREND_STATS))] = None  # fmt: skip
    summary_time_unit: Annotated[str | None, OptionRow(
        "summaryTimeUnit", kinds.TimeUnit(),
        "time unit of the summary: s, ms or us; without it each value has a unit that fits",
        flag="summary-time-unit", variable="K6_SUMMARY_TIME_UNIT")] = None  # fmt: skip
    system_tags: Annotated[tuple[str, ...] | None, OptionRow(
        "systemTags", kinds.SystemTags(), "only include these system tags in metrics",
        flag="system-tags", variable="K6_SYSTEM_TAGS", repeats=True,
        default=",".join(SYSTEM_TAGS))] = None  # fmt: skip
    tags: Annotated[dict[str, str] | None, OptionRow(
        "tags", kinds.TextMap(), "add a tag to all samples, as `name=value`",
        flag="tag", variable="K6_TAGS", repeats=True)] = None  # fmt: skip
    metric_samples_buffer_size: Annotated[int | None, OptionRow(
        "metricSamplesBufferSize", kinds.Int(), "accepted, without effect here",
        variable="K6_METRIC_SAMPLES_BUFFER_SIZE")] = None  # fmt: skip
    no_cookies_reset: Annotated[bool | None, OptionRow(
        "noCookiesReset", kinds.Bool(), "keep cookies between iterations",
        variable="K6_NO_COOKIES_RESET")] = None  # fmt: skip
    discard_response_bodies: Annotated[bool | None, OptionRow(
        "discardResponseBodies", kinds.Bool(), "read but don't keep HTTP response bodies",
        flag="discard-response-bodies", variable="K6_DISCARD_RESPONSE_BODIES",
        bare="true")] = None  # fmt: skip
    features: Annotated[tuple[str, ...] | None, OptionRow(
        "features", kinds.Texts(), "only in a config file: features to enable")] = None  # fmt: skip
    console_output: Annotated[str | None, OptionRow(
        "", kinds.Text(), "write the script's console output to this file",
        flag="console-output", variable="K6_CONSOLE_OUTPUT")] = None  # fmt: skip
    local_ips: Annotated[str | None, OptionRow(
        "", network.AddressRanges(), "client addresses, ranges or CIDRs, one per VU in rotation",
        flag="local-ips", variable="K6_LOCAL_IPS")] = None  # fmt: skip

    def trend_stats(self) -> tuple[str, ...]:
        """Return the columns of trends in the summary, or k6's default."""
        return TREND_STATS if self.summary_trend_stats is None else self.summary_trend_stats

    def enabled_system_tags(self) -> frozenset[str]:
        """Return the system tags that samples carry, or k6's default."""
        return frozenset(SYSTEM_TAGS if self.system_tags is None else self.system_tags)


def rows(rows_class: type[Struct] = Options) -> list[tuple[str, OptionRow]]:
    """Return the fields of a class in order, each as its name and its row."""
    annotations = rows_class.__annotations__
    return [(name, annotation.__metadata__[0]) for name, annotation in annotations.items()]


#: The options of the load. A layer that sets one of these discards those of lower layers.
SHORTCUTS: Final = ("duration", "iterations", "stages", "scenarios")

#: The options that consolidated options leave out, because `scenarios` replaces them.
_FOLDED: Final = ("vus", "duration", "iterations", "stages")


def to_json(options: Options, *, consolidated: bool) -> "JsonObject":
    """Return options in k6's JSON shape; unset options are null.

    Args:
        options: The options.
        consolidated: True if the shape is that of `exec.test.options`: with defaults, and without the
            shortcuts for scenarios.
    """
    shown: JsonObject = {}
    for attribute, row in rows():
        if consolidated and attribute in _FOLDED:
            continue
        name = row.json or ("consoleOutput" if attribute == "console_output" else "localIPs")
        value = getattr(options, attribute)
        shown[name] = None if value is None else row.kind.to_json(value)
    if consolidated:
        if options.cloud is None:
            del shown["cloud"]
        shown["dns"] = shown["dns"] or network.DNS().to_json({})
        shown["systemTags"] = sorted(options.enabled_system_tags()) or None
        shown["summaryTrendStats"] = list(options.trend_stats())
    return shown
