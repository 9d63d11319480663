"""Summaries of made-up runs."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.metrics.registry import Registry
from jsrunner.metrics.store import Store
from jsrunner.metrics.thresholds import parse_thresholds
from jsrunner.summary.model import SummaryData, build

if TYPE_CHECKING:
    from collections.abc import Callable


class Measured:
    """A run whose samples a test tells one by one, in the order of their times."""

    def __init__(self, thresholds: dict[str, list[Any]] | None = None) -> None:
        self.registry = Registry()
        self._thresholds = parse_thresholds(thresholds or {})
        self._store = Store(self._thresholds, system_tags=frozenset(), by_group=True)
        self._time = 0.0

    def declare(self, name: str, type_: str, contains: str = "default") -> None:
        self.registry.declare(name, type_, contains)

    def add(self, name: str, *values: float, group: str = "", **tags: str) -> None:
        """Samples of a metric."""
        metric = self.registry.get(name)
        assert metric is not None
        self._time += 1
        series = self._store.series(metric, {"group": group, **tags}, self._time)
        if metric.type == "trend":
            series.merge(array("d", values).tobytes())
            return
        for value in values:
            series.merge(
                {
                    "counter": value,
                    "rate": (1 if value else 0, 1),
                    "gauge": (value, value, value),
                }[metric.type]
            )

    def check(self, name: str, passes: int, fails: int = 0, **tags: str) -> None:
        self.add("checks", *[1.0] * passes, *[0.0] * fails, check=name, **tags)

    def summary(
        self,
        *,
        duration: float = 10.0,
        trend_stats: tuple[str, ...] = ("avg", "min", "med", "max", "p(90)", "p(95)"),
        time_unit: str = "",
        setup_data: bytes | None = None,
    ) -> SummaryData:
        self._thresholds.validate(self.registry)
        self._store.add_thresholds(self.registry)
        self._thresholds.evaluate(self._store, duration, final=True)
        return build(
            self._store,
            self._thresholds,
            trend_stats=trend_stats,
            time_unit=time_unit,
            duration=duration,
            setup_data=setup_data,
        )


@pytest.fixture
def measured() -> Callable[..., Measured]:
    return Measured
