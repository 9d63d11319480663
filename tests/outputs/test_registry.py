"""Outputs by name."""

from __future__ import annotations

import pytest

from jsrunner.errors import UsageError
from jsrunner.outputs.registry import parse_output


@pytest.mark.parametrize(
    ("spec", "description"),
    [
        ("json", "json(stdout)"),
        ("json=a.json", "json (a.json)"),
        ("json=a=b.json", "json (a=b.json)"),
        ("csv", "csv (file.csv)"),
        ("influxdb", "InfluxDBv1 (http://localhost:8086)"),
        ("experimental-prometheus-rw", "Prometheus remote write (http://localhost:9090/api/v1/write)"),
        ("opentelemetry", "opentelemetry (grpc, localhost:4317)"),
        ("statsd", "statsd (localhost:8125)"),
    ],
)
def test_outputs_describe_themselves(spec: str, description: str) -> None:
    assert parse_output(spec, {}).description == description


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("cloud", "could not create the 'cloud' output: jsrunner sends no results to Grafana Cloud"),
        (
            "web-dashboard=port=1",
            "could not create the 'web-dashboard' output: use --web for a live page",
        ),
        ("kafka", "could not create the 'kafka' output: the kafka output"),
        ("datadog", "could not create the 'datadog' output: the datadog output"),
        ("foo", "invalid output type 'foo', available types are: csv, experimental-opentelemetry, "),
    ],
)
def test_others_are_refused(spec: str, error: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_output(spec, {})
    assert str(caught.value).startswith(error)
