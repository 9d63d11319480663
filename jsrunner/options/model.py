"""The options of a test: one row each.

A row says everything about an option: its name in the script, its type, the flag and the variable
that set it too, and what it means. Readers (`parse`, `flags`), the command line's help and the
consolidated JSON are made from these rows.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any, Final

from msgspec import Struct

from jsrunner.options import kinds, network
from jsrunner.options.segment import Segment, SegmentKind, SequenceKind

#: Columns of trends in the summary.
TREND_STATS: Final = ("avg", "min", "med", "max", "p(90)", "p(95)")

#: The tags that a sample carries unless the option systemTags says otherwise.
SYSTEM_TAGS: Final = (
    "proto", "subproto", "status", "method", "url", "name", "group", "check", "error",
    "error_code", "tls_version", "scenario", "service", "expected_response",
)  # fmt: skip


class Row(Struct, frozen=True):
    """What there is to know of an option."""

    #: In the script and in config files; "" if it cannot be given there.
    json: str
    kind: kinds.Kind
    help: str
    flag: str = ""
    short: str = ""
    variable: str = ""
    #: The flag's value where it is given without one.
    bare: str | None = None
    #: Several of the flag add up.
    repeats: bool = False
    #: What holds where it is not given, as text.
    default: str = ""
    #: What stands for the flag's value in the help, if the kind's own word says too little.
    word: str = ""


def _row(json: str, kind: kinds.Kind, help: str, **more: Any) -> Any:
    return field(default=None, metadata={"row": Row(json, kind, help, **more)})


@dataclass(frozen=True, slots=True)
class Options:
    """Unset options are None. Durations are seconds."""

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
    stages: tuple[dict[str, Any], ...] | None = _row(
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
        "setupTimeout", kinds.Duration(), "how long setup() may take",
        variable="K6_SETUP_TIMEOUT", default="60s")  # fmt: skip
    no_teardown: bool | None = _row(
        "noTeardown", kinds.Bool(), "don't run teardown()",
        flag="no-teardown", variable="K6_NO_TEARDOWN", bare="true")  # fmt: skip
    teardown_timeout: float | None = _row(
        "teardownTimeout", kinds.Duration(), "how long teardown() may take",
        variable="K6_TEARDOWN_TIMEOUT", default="60s")  # fmt: skip
    handle_summary_timeout: float | None = _row(
        "handleSummaryTimeout", kinds.Duration(), "how long handleSummary() may take",
        variable="K6_HANDLE_SUMMARY_TIMEOUT", default="120s")  # fmt: skip
    rps: int | None = _row(
        "rps", kinds.Int(), "limit of HTTP requests per second, 0 for none",
        flag="rps", variable="K6_RPS", default="0")  # fmt: skip
    dns: dict[str, str] | None = _row(
        "dns", network.DNS(), "how names are looked up: for how long, and which address is taken",
        flag="dns", variable="K6_DNS", default="ttl=5m,select=random,policy=preferIPv4")  # fmt: skip
    max_redirects: int | None = _row(
        "maxRedirects", kinds.Int(), "follow at most n redirects",
        flag="max-redirects", variable="K6_MAX_REDIRECTS", default="10")  # fmt: skip
    user_agent: str | None = _row(
        "userAgent", kinds.Text(), "user agent for http and websocket requests",
        flag="user-agent", variable="K6_USER_AGENT")  # fmt: skip
    batch: int | None = _row(
        "batch", kinds.Int(), "max parallel batch requests",
        flag="batch", variable="K6_BATCH", default="20")  # fmt: skip
    batch_per_host: int | None = _row(
        "batchPerHost", kinds.Int(), "max parallel batch requests per host",
        flag="batch-per-host", variable="K6_BATCH_PER_HOST", default="6")  # fmt: skip
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
    tls_auth: list[dict[str, Any]] | None = _row(
        "tlsAuth", network.TLSAuth(), "client certificates: [{cert, key, password, domains}]"
    )
    tls_aia_fetch: bool | None = _row(
        "tlsAIAFetch", kinds.Bool(), "fetch a certificate that the server's chain lacks",
        variable="K6_TLS_AIA_FETCH")  # fmt: skip
    throw: bool | None = _row(
        "throw", kinds.Bool(), "throw exceptions on failed requests",
        flag="throw", short="w", variable="K6_THROW", bare="true")  # fmt: skip
    thresholds: dict[str, list[Any]] | None = _row(
        "thresholds", kinds.Thresholds(), "pass or fail by metrics",
        variable="K6_THRESHOLDS")  # fmt: skip
    blacklist_ips: tuple[str, ...] | None = _row(
        "blacklistIPs", network.Networks(), "refuse connections to these CIDR ranges",
        flag="blacklist-ip", variable="K6_BLACKLIST_IPS", repeats=True)  # fmt: skip
    block_hostnames: tuple[str, ...] | None = _row(
        "blockHostnames", network.Hostnames(), "refuse connections to these names, `*` may lead",
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
    cloud: dict[str, Any] | None = _row("cloud", kinds.Anything(), "left for k6's cloud")
    ext: dict[str, Any] | None = _row("ext", kinds.Object(), "left for other tools")
    summary_trend_stats: tuple[str, ...] | None = _row(
        "summaryTrendStats", kinds.TrendStats(),
        "stats of trend metrics in the summary, of avg, min, med, max, count, p(N)",
        flag="summary-trend-stats", variable="K6_SUMMARY_TREND_STATS", repeats=True,
        default=",".join(TREND_STATS))  # fmt: skip
    summary_time_unit: str | None = _row(
        "summaryTimeUnit", kinds.TimeUnit(), "time unit of the summary: s, ms or us (what fits)",
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
        "", kinds.Text(), "write what the script logs to this file",
        flag="console-output", variable="K6_CONSOLE_OUTPUT")  # fmt: skip
    local_ips: str | None = _row(
        "", network.AddressRanges(), "client addresses, ranges or CIDRs, one per VU in rotation",
        flag="local-ips", variable="K6_LOCAL_IPS")  # fmt: skip

    def trend_stats(self) -> tuple[str, ...]:
        return TREND_STATS if self.summary_trend_stats is None else self.summary_trend_stats

    def enabled_system_tags(self) -> frozenset[str]:
        return frozenset(SYSTEM_TAGS if self.system_tags is None else self.system_tags)


def rows(of: type[Any] = Options) -> list[tuple[Field[Any], Row]]:
    """All options in order, or those of another class that is made of rows."""
    return [(one, one.metadata["row"]) for one in fields(of)]


#: The load: a layer that sets one of these discards what lower layers say of the others.
SHORTCUTS: Final = ("duration", "iterations", "stages", "scenarios")

#: In consolidated options these are told by `scenarios`.
_FOLDED: Final = ("vus", "duration", "iterations", "stages")


def to_json(options: Options, *, consolidated: bool) -> dict[str, Any]:
    """In k6's JSON shape; unset is null. `consolidated` as exec.test.options shows them."""
    found: dict[str, Any] = {}
    for one, row in rows():
        if consolidated and one.name in _FOLDED:
            continue
        name = row.json or ("consoleOutput" if one.name == "console_output" else "localIPs")
        value = getattr(options, one.name)
        found[name] = None if value is None else row.kind.to_json(value)
    if consolidated:
        if options.cloud is None:
            del found["cloud"]
        found["dns"] = found["dns"] or network.DNS().to_json({})
        found["systemTags"] = sorted(options.enabled_system_tags()) or None
        found["summaryTrendStats"] = list(options.trend_stats())
    return found
