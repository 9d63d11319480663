"""Metrics at receivers of OTLP, made of OpenTelemetry's own protocol package."""

from __future__ import annotations

import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as messages
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as service

from jsrunner.errors import UsageError
from jsrunner.outputs.opentelemetry import configure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class Received:
    """The last request: its headers, its resource, its points by name and attributes."""

    def __init__(self) -> None:
        self.port = 0
        self.headers: dict[str, str] = {}
        self.resource: dict[str, str] = {}
        self.points: dict[tuple[str, ...], Any] = {}
        self.units: dict[str, str] = {}

    def take(self, request: Any, headers: dict[str, str]) -> None:
        self.headers = headers
        (sent,) = request.resource_metrics
        self.resource = {one.key: one.value.string_value for one in sent.resource.attributes}
        for metric in sent.scope_metrics[0].metrics:
            self.units[metric.name] = metric.unit
            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                tags = {one.key: one.value.string_value for one in point.attributes}
                assert tags.pop("team") == "a, b=c"
                extra = sorted(tags[key] for key in ("condition", "group") if key in tags)
                self.points[(metric.name, *extra)] = point

    def value(self, *key: str) -> float:
        point = self.points[key]
        value: float = getattr(point, point.WhichOneof("value"))
        return value


@pytest.fixture
def over_grpc() -> Iterator[Received]:
    received = Received()

    class Receiver(service.MetricsServiceServicer):
        def Export(self, request: Any, context: grpc.ServicerContext) -> Any:
            received.take(request, dict(context.invocation_metadata()))
            return messages.ExportMetricsServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(2))
    service.add_MetricsServiceServicer_to_server(Receiver(), server)
    received.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield received
    server.stop(None).wait()


@pytest.fixture
def over_http() -> Iterator[Received]:
    received = Received()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = messages.ExportMetricsServiceRequest.FromString(body)
            received.take(request, {"path": self.path, **lowered(self.headers)})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        received.port = server.server_port
        yield received
        server.shutdown()
        thread.join()


def test_metrics_over_grpc(run_to: Callable[..., Any], over_grpc: Received) -> None:
    done = run_to(
        "opentelemetry", K6_OTEL_GRPC_EXPORTER_INSECURE="true", K6_OTEL_METRIC_PREFIX="k6_",
        K6_OTEL_GRPC_EXPORTER_ENDPOINT=f"127.0.0.1:{over_grpc.port}", K6_OTEL_HEADERS="X-One=a%20b,q=2",
        K6_OTEL_SERVICE_NAME="mine",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    got = over_grpc
    assert (got.headers["x-one"], got.headers["q"]) == ("a b", "2")
    assert got.resource["service.name"] == "mine"
    assert (got.value("k6_my_count"), got.value("k6_my_count", "::teardown")) == (80, 20)
    assert (got.value("k6_my_gauge"), got.value("k6_iterations")) == (7, 40)
    assert got.value("k6_my_rate.total", "zero") == got.value("k6_checks.total", "nonzero") == 40
    time = got.points["k6_my_time",]
    assert (time.count, time.sum, time.min, time.max) == (40, 10000, 250, 250)
    assert dict(zip(time.explicit_bounds, time.bucket_counts, strict=False))[250] == 40
    assert (got.units["k6_my_time"], got.units["k6_my_plain"], got.units["k6_data_sent"]) == (
        "ms",
        "",
        "By",
    )


def test_metrics_over_http(run_to: Callable[..., Any], over_http: Received) -> None:
    done = run_to(
        "experimental-opentelemetry", K6_OTEL_EXPORTER_PROTOCOL="http/protobuf",
        K6_OTEL_HTTP_EXPORTER_ENDPOINT=f"127.0.0.1:{over_http.port}",
        K6_OTEL_HTTP_EXPORTER_INSECURE="1", K6_OTEL_HTTP_EXPORTER_URL_PATH="/otlp",
        K6_OTEL_HTTP_EXPORTER_USERNAME="me", K6_OTEL_HTTP_EXPORTER_PASSWORD="secret",
        K6_OTEL_SINGLE_COUNTER_FOR_RATE="false",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    got = over_http
    assert (got.headers["path"], got.headers["authorization"]) == ("/otlp", "Basic bWU6c2VjcmV0")
    assert got.value("my_count") == 80
    assert (got.value("my_rate.occurred"), got.value("my_rate.total")) == (0, 40)


@pytest.mark.slow
def test_a_receiver_that_is_not_there_is_reported(run_to: Callable[..., Any]) -> None:
    done = run_to(
        "opentelemetry",
        K6_OTEL_GRPC_EXPORTER_INSECURE="1",
        K6_OTEL_GRPC_EXPORTER_ENDPOINT="127.0.0.1:1",
    )
    assert done.returncode == 0
    assert "iterations" in done.stdout
    first, last = done.stderr.splitlines()
    assert "output opentelemetry (grpc (insecure), 127.0.0.1:1): " in first
    assert "UNAVAILABLE" in first
    assert last.endswith("pushes that failed: 1; the last figures were not sent")


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"EXPORTER_PROTOCOL": "udp"}, "'udp' is neither grpc nor http/protobuf"),
        ({"EXPORTER_TYPE": "http", "HTTP_EXPORTER_ENDPOINT": "http://h"}, "must only be host and port"),
        ({"TLS_CERTIFICATE": "/missing"}, "open /missing: no such file"),
        ({"TLS_INSECURE_SKIP_VERIFY": "true"}, "K6_OTEL_TLS_CERTIFICATE instead"),
        ({"HEADERS": "a"}, "has 'a', which is not key=value"),
    ],
)
def test_wrong_settings_are_named(variables: dict[str, str], error: str) -> None:
    with pytest.raises(UsageError) as caught:
        configure("", {f"K6_OTEL_{name}": value for name, value in variables.items()})
    assert error in str(caught.value)
