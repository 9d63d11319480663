"""Metrics by name (k6-surface MT-03, MT-04)."""

from __future__ import annotations

import pytest

from jsrunner.metrics.registry import BUILTIN, Metric, MetricError, Registry


def test_every_vu_gets_the_same_metric() -> None:
    registry = Registry()
    first = registry.declare("latency", "trend", "time")
    assert first == Metric("latency", "trend", "time")
    assert registry.declare("latency", "trend", "time") is first
    assert registry.get("latency") is first
    assert list(registry.declared()) == [first]


def test_metrics_of_k6_are_there_and_may_be_declared_again() -> None:
    registry = Registry()
    assert registry.declare("ws_connecting", "trend", "time") is BUILTIN["ws_connecting"]
    assert registry.get("data_sent") == Metric("data_sent", "counter", "data")
    assert registry.get("nope") is None
    assert list(registry.declared()) == []


def test_a_registry_is_one_runs_own() -> None:
    Registry().declare("mine", "counter")
    assert Registry().get("mine") is None


def test_another_type_or_content_is_refused() -> None:
    registry = Registry()
    registry.declare("x1", "counter")
    with pytest.raises(MetricError) as caught:
        registry.declare("x1", "gauge")
    assert str(caught.value) == "metric 'x1' already exists but with type counter, instead of gauge"
    with pytest.raises(MetricError) as caught:
        registry.declare("iteration_duration", "trend")
    assert str(caught.value) == (
        "metric 'iteration_duration' already exists but with a value type time, instead of default"
    )


@pytest.mark.parametrize("name", ["ab", "_a", "A9_", "a" * 129])
def test_names(name: str) -> None:
    assert Registry().declare(name, "counter").name == name


@pytest.mark.parametrize("name", ["", "a", "9a", "a-b", "a b", "a.b", "größe", "a" * 130, "ab\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(MetricError) as caught:
        Registry().declare(name, "counter")
    assert str(caught.value) == (
        f"Invalid metric name: '{name}'. Metric names must only include up to 128 ASCII letters, "
        "numbers, or underscores and start with a letter or an underscore."
    )
