"""The output `--out opentelemetry`: running figures of each series, by OTLP over gRPC or HTTP.

A counter becomes a counter, a gauge a gauge, a trend a histogram (of milliseconds, for times). A rate
becomes a counter `NAME.total` with the attribute `condition`: nonzero or zero. OpenTelemetry's own
packages encode and send. https://grafana.com/docs/k6/latest/results-output/real-time/opentelemetry/
"""

from __future__ import annotations

import logging
import os
import time
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from jsrunner.errors import UsageError
from jsrunner.metrics.sinks import CounterSink, GaugeSink, RateSink
from jsrunner.outputs.aggregates import AggregatePusher
from jsrunner.outputs.base import OutputConfig
from jsrunner.outputs.http import basic
from jsrunner.outputs.pusher import TIMEOUT, PushError
from jsrunner.outputs.variables import Variables, need
from jsrunner.version import __version__

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opentelemetry.sdk.metrics.export import Metric, MetricExporter

    from jsrunner.outputs.aggregates import Figures

_NAME: Final = "opentelemetry"
#: The default bounds of histograms in OpenTelemetry's libraries.
BOUNDS: Final = (0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)
#: Units by the metric's `contains`.
_UNITS: Final = {"time": "ms", "data": "By"}


class BucketHistogram:
    """A trend's values, counted in the buckets between BOUNDS."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.min, self.max = float("inf"), float("-inf")
        self.buckets = [0] * (len(BOUNDS) + 1)

    def extend(self, values: array[float], /) -> None:
        """Add values."""
        buckets = self.buckets
        for value in values:
            buckets[bisect_left(BOUNDS, value)] += 1
        self.count += len(values)
        self.sum += sum(values)
        self.min = min(self.min, *values)
        self.max = max(self.max, *values)


class _LogMessages(logging.Handler):
    """A handler that keeps the exporter's log messages, which no other handler gets."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(record.getMessage())

    def take(self) -> str:
        """Return the first and the last message since the last call: the cause and the result."""
        texts, self._texts = self._texts, []
        return "; ".join(dict.fromkeys((*texts[:1], *texts[-1:])))


class OpenTelemetryOutput(AggregatePusher):
    """The coordinator's half of the output.

    Args:
        description: The output, as messages name it.
        interval: Seconds between two sends.
        exporter: Makes the exporter.
        service: The attributes of the resource.
        prefix: The text before the names of metrics.
        split: True if a rate becomes two counters, `NAME.occurred` and `NAME.total`.
    """

    def __init__(
        self, description: str, interval: float, *,
        exporter: Callable[[], MetricExporter], service: Mapping[str, str], prefix: str, split: bool,
    ) -> None:  # fmt: skip
        super().__init__(description, interval, lambda series: BucketHistogram())
        from opentelemetry.sdk.resources import Resource

        self._resource = Resource.create(dict(service))
        self._prefix = prefix
        self._split = split
        self._began = time.time_ns()
        self._messages = _LogMessages()
        log = logging.getLogger("opentelemetry")
        log.addHandler(self._messages)
        log.propagate = False
        self._exporter = exporter()

    def export(self) -> None:
        """Send the figures."""
        from opentelemetry.sdk.metrics import export
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        scope = export.ScopeMetrics(InstrumentationScope("k6"), list(self._metrics()), "")
        data = export.MetricsData([export.ResourceMetrics(self._resource, [scope], "")])
        result = self._exporter.export(data, timeout_millis=TIMEOUT * 1000)
        messages = self._messages.take()
        if result is not export.MetricExportResult.SUCCESS:
            raise PushError(messages or "the receiver did not accept the metrics")

    def disconnect(self) -> None:
        """Stop the exporter."""
        self._exporter.shutdown()

    def _metrics(self) -> Iterator[Metric]:
        """Yield OpenTelemetry's metrics with their data points."""
        from opentelemetry.sdk.metrics import export

        now = time.time_ns()
        points: dict[tuple[str, str, str], list[Any]] = {}
        for figures in self.figures.values():
            metric = figures.series.metric
            for kind, suffix, point in self._points(figures, now):
                key = (kind, self._prefix + metric.name + suffix, _UNITS.get(metric.contains, ""))
                points.setdefault(key, []).append(point)
        cumulative = export.AggregationTemporality.CUMULATIVE
        for (kind, name, unit), data in points.items():
            described: Any
            if kind == "sum":
                described = export.Sum(data, cumulative, is_monotonic=True)
            elif kind == "gauge":
                described = export.Gauge(data)
            else:
                described = export.Histogram(data, cumulative)
            yield export.Metric(name, "", unit, described)

    def _points(self, figures: Figures, now: int) -> Iterator[tuple[str, str, Any]]:
        """Yield the kinds, name suffixes and data points that a series becomes."""
        from opentelemetry.sdk.metrics.export import HistogramDataPoint, NumberDataPoint

        sink = figures.sink
        tags = {key: value for key, value in figures.series.tags.items() if value}

        def number(value: float, **more: str) -> Any:
            return NumberDataPoint({**tags, **more}, self._began, now, value)

        if isinstance(sink, CounterSink):
            yield "sum", "", number(sink.count)
        elif isinstance(sink, GaugeSink):
            yield "gauge", "", number(sink.value)
        elif isinstance(sink, RateSink):
            if self._split:
                yield "sum", ".occurred", number(sink.hits)
                yield "sum", ".total", number(sink.total)
                return
            for condition, count in (("nonzero", sink.hits), ("zero", sink.total - sink.hits)):
                if count:
                    yield "sum", ".total", number(count, condition=condition)
        else:
            assert isinstance(sink, BucketHistogram)
            yield (
                "histogram",
                "",
                HistogramDataPoint(
                    tags,
                    self._began,
                    now,
                    sink.count,
                    sink.sum,
                    sink.buckets,
                    BOUNDS,
                    sink.min,
                    sink.max,
                ),
            )


def configure(argument: str, environment: Mapping[str, str]) -> OutputConfig:
    """Read the settings of the output.

    Args:
        argument: The text behind `opentelemetry=`, which is ignored as in k6.
        environment: The environment, with k6's `K6_OTEL_` variables.

    Raises:
        UsageError: A setting is wrong, or a package is not installed.
    """
    settings = Variables(environment, "K6_OTEL_")
    need("opentelemetry.sdk.metrics", _NAME, "otel")
    protocol = settings.text("EXPORTER_PROTOCOL")
    if not protocol:
        protocol = {"http": "http/protobuf", "": "grpc"}.get(old := settings.text("EXPORTER_TYPE"), old)
    if protocol not in ("grpc", "http/protobuf"):
        settings.fail("EXPORTER_PROTOCOL", "is neither grpc nor http/protobuf")
    if settings.boolean("TLS_INSECURE_SKIP_VERIFY"):
        settings.fail(
            "TLS_INSECURE_SKIP_VERIFY",
            "asks for what the exporter cannot do; name the receiver's certificate in "
            "K6_OTEL_TLS_CERTIFICATE instead",
        )
    settings.seconds("FLUSH_INTERVAL", 1.0)  # only checked: jsrunner has no buffer before the exporter
    interval = settings.seconds("EXPORT_INTERVAL", 10.0)
    service = {
        "service.name": settings.text("SERVICE_NAME", environment.get("OTEL_SERVICE_NAME") or "k6"),
        "service.version": settings.text("SERVICE_VERSION", __version__),
    }
    prefix = settings.text("METRIC_PREFIX")
    split = not settings.boolean("SINGLE_COUNTER_FOR_RATE", True)
    headers = _headers(settings)
    if protocol == "grpc":
        exporter, shown = _grpc(settings, headers)
    else:
        exporter, shown = _http(settings, headers)
    description = f"opentelemetry ({shown})"

    def make(system_tags: Sequence[str]) -> OpenTelemetryOutput:
        output = OpenTelemetryOutput(
            description, interval, exporter=exporter, service=service, prefix=prefix, split=split
        )
        output.begin()
        return output

    return OutputConfig(description, make)


def _headers(settings: Variables) -> dict[str, str]:
    """Parse the headers: `name=value,name=value`, both percent-encoded."""
    headers = {}
    for pair in settings.words("HEADERS"):
        name, equals, value = pair.partition("=")
        if not equals:
            settings.fail("HEADERS", f"has '{pair}', which is not key=value")
        headers[unquote(name.strip()).lower()] = unquote(value.strip())
    return headers


def _http(settings: Variables, headers: dict[str, str]) -> tuple[Callable[[], MetricExporter], str]:
    """Return the factory of the exporter over HTTP, and its text in the description block."""
    endpoint = settings.text("HTTP_EXPORTER_ENDPOINT", "localhost:4318")
    if "://" in endpoint:
        settings.fail("HTTP_EXPORTER_ENDPOINT", "must only be host and port, no scheme")
    scheme = "http" if settings.boolean("HTTP_EXPORTER_INSECURE") else "https"
    url = f"{scheme}://{endpoint}{settings.text('HTTP_EXPORTER_URL_PATH', '/v1/metrics')}"
    if user := settings.text("HTTP_EXPORTER_USERNAME"):
        headers["authorization"] = basic(user, settings.text("HTTP_EXPORTER_PASSWORD"))

    def make() -> MetricExporter:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        return OTLPMetricExporter(
            endpoint=url,
            certificate_file=settings.text("TLS_CERTIFICATE") or None,
            client_key_file=settings.text("TLS_CLIENT_KEY") or None,
            client_certificate_file=settings.text("TLS_CLIENT_CERTIFICATE") or None,
            headers=headers,
            timeout=TIMEOUT,
        )

    return make, f"http/protobuf, {url}"


def _grpc(settings: Variables, headers: dict[str, str]) -> tuple[Callable[[], MetricExporter], str]:
    """Return the factory of the exporter over gRPC, and its text in the description block."""
    endpoint = settings.text("GRPC_EXPORTER_ENDPOINT", "localhost:4317")
    insecure = settings.boolean("GRPC_EXPORTER_INSECURE")
    files = [
        _contents(settings, name)
        for name in ("TLS_CERTIFICATE", "TLS_CLIENT_KEY", "TLS_CLIENT_CERTIFICATE")
    ]

    def make() -> MetricExporter:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its core writes to standard error
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

        return OTLPMetricExporter(
            endpoint=endpoint,
            insecure=insecure,
            credentials=None if insecure else grpc.ssl_channel_credentials(*files),
            headers=headers,
            timeout=TIMEOUT,
        )

    return make, f"grpc{' (insecure)' if insecure else ''}, {endpoint}"


def _contents(settings: Variables, name: str) -> bytes | None:
    """Return the contents of the file that a setting names; None if the setting is not set."""
    path = settings.text(name)
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(
            f"could not create the '{_NAME}' output: open {path}: {(error.strerror or '').lower()}"
        ) from None
