"""The store: the metrics of a run, merged from the deltas of all workers. The coordinator has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import Struct

from jsrunner.metrics.sinks import Sink, merge_delta, new_sink
from jsrunner.metrics.thresholds import Submetric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.metrics.registry import Metric, Registry
    from jsrunner.metrics.sinks import Delta
    from jsrunner.metrics.thresholds import ThresholdSet

#: The number of time series at which k6 warns for the first time; it warns again at twice as many.
MANY_SERIES: Final = 100_000

#: The sub-metric that k6 keeps in any run.
_EXPECTED: Final = "http_req_duration{expected_response:true}"
#: The groups of setup and teardown, which the full summary leaves out.
_STAGES: Final = ("setup", "teardown")


def own_scenario(name: str) -> str:
    """Return the name of a scenario that has its own section in the full summary, else ""."""
    return "" if name == "default" else name


class CheckTally(Struct):
    """The passes and fails of a check, in one group of one scenario."""

    name: str
    #: The tag `group`; None without the tag, which the option systemTags can switch off.
    group: str | None
    #: The tag `scenario`; "" without the tag.
    scenario: str
    #: The time of the first sample, in seconds since the epoch.
    first: float
    passes: int = 0
    fails: int = 0


class Entry(Struct):
    """A metric or a sub-metric with its sink."""

    metric: Metric
    sink: Sink
    submetric: Submetric | None = None


class GroupMetrics(Struct):
    """The metrics of one scenario, or of one group of a scenario."""

    #: The time of the first sample, in seconds since the epoch.
    first: float
    #: The metrics by name.
    entries: dict[str, Entry]


class MergedSeries:
    """A metric with one tag set, merged from all workers: the sinks that its samples go to."""

    __slots__ = ("_check", "_sinks", "metric", "tags")

    def __init__(
        self, metric: Metric, tags: dict[str, str], sinks: list[Sink], check: CheckTally | None
    ) -> None:
        self.metric = metric
        self.tags = tags
        self._sinks = sinks
        self._check = check

    def merge(self, delta: Delta) -> None:
        """Add a worker's delta: its samples since the last delta."""
        for sink in self._sinks:
            merge_delta(sink, delta)
        if self._check is not None:
            assert isinstance(delta, tuple)
            hits, total = map(int, delta)
            self._check.passes += hits
            self._check.fails += total - hits


class Store:
    """The metrics, sub-metrics, checks and groups of a run.

    Args:
        thresholds: The run's thresholds, which decide what sub-metrics there are.
        system_tags: The system tags that samples carry.
        by_group: True if metrics are also kept by scenario and group, for the full summary.
    """

    many_series: ClassVar = MANY_SERIES

    def __init__(
        self, thresholds: ThresholdSet, *, system_tags: frozenset[str], by_group: bool = False
    ) -> None:
        #: Metrics and sub-metrics by name.
        self.entries: dict[str, Entry] = {}
        self._tallies: dict[tuple[str, str | None, str], CheckTally] = {}
        #: The times of the groups' first samples by path, in seconds since the epoch.
        self._groups: dict[str, float] = {}
        self._group_metrics: dict[tuple[str, str], GroupMetrics] = {}
        self._thresholds = thresholds
        self._by_group = by_group
        self._series: dict[tuple[str, frozenset[tuple[str, str]]], MergedSeries] = {}
        self._warn_at = self.many_series
        self._submetrics: dict[str, list[Submetric]] = {}
        for submetric in thresholds.submetrics.values():
            self._submetrics.setdefault(submetric.metric, []).append(submetric)
        if "expected_response" in system_tags and _EXPECTED not in thresholds.submetrics:
            expected = Submetric(_EXPECTED, "http_req_duration", {"expected_response": "true"})
            self._submetrics.setdefault("http_req_duration", []).append(expected)

    def add_thresholds(self, registry: Registry) -> None:
        """Make the entries of the metrics and sub-metrics that have thresholds.

        They are evaluated, and shown in the summary, without samples, too.

        Args:
            registry: The registry that the thresholds have been validated with.
        """
        for key in self._thresholds.thresholds:
            name = self._thresholds.metric_name(key)
            metric = registry.get(name)
            assert metric is not None
            self._entry(name, metric)
            self._entry(key, metric, self._thresholds.submetrics.get(key))

    def submetrics(self, name: str) -> Sequence[Submetric]:
        """Return the sub-metrics of a metric."""
        return self._submetrics.get(name, ())

    def sink(self, key: str) -> Sink | None:
        """Return the sink of a metric or sub-metric, or None without samples and thresholds."""
        entry = self.entries.get(key)
        return entry.sink if entry else None

    def _entry(self, key: str, metric: Metric, submetric: Submetric | None = None) -> Entry:
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = Entry(metric, new_sink(metric.type), submetric)
        return entry

    def series(self, metric: Metric, tags: dict[str, str], first: float = 0.0) -> MergedSeries:
        """Return the series of a metric with these tags.

        Args:
            metric: The metric.
            tags: The tags.
            first: The time of a worker's first sample of the series, in seconds since the epoch.
        """
        check = self._tally(tags, first) if metric.name == "checks" and "check" in tags else None
        if metric.name == "group_duration" and (group := tags.get("group")):
            self._groups[group] = min(self._groups.get(group, first), first)
        key = (metric.name, frozenset(tags.items()))
        series = self._series.get(key)
        if series is None:
            sinks = [self._entry(metric.name, metric).sink]
            sinks += [
                self._entry(submetric.name, metric, submetric).sink
                for submetric in self.submetrics(metric.name)
                if submetric.tags.items() <= tags.items()
            ]
            if self._by_group:
                sinks += self._group_sinks(metric, tags, first)
            series = self._series[key] = MergedSeries(metric, tags, sinks, check)
        return series

    def _tally(self, tags: dict[str, str], first: float) -> CheckTally:
        """Return the tally of the check that these tags name."""
        key = (tags.get("scenario", ""), tags.get("group"), tags["check"])
        tally = self._tallies.get(key)
        if tally is None:
            scenario, group, name = key
            tally = self._tallies[key] = CheckTally(name, group, scenario, first)
        tally.first = min(tally.first, first)
        return tally

    def _group_sinks(self, metric: Metric, tags: dict[str, str], first: float) -> list[Sink]:
        """Return the sinks of a metric in the scenario and the group that these tags name."""
        scenario, group = own_scenario(tags.get("scenario", "")), tags.get("group", "")
        keys = [(scenario, "")] if scenario else []
        if group and group.removeprefix("::") not in _STAGES:
            keys.append((scenario, group))
        sinks = []
        for key in keys:
            group_metrics = self._group_metrics.setdefault(key, GroupMetrics(first, {}))
            group_metrics.first = min(group_metrics.first, first)
            entry = group_metrics.entries.get(metric.name)
            if entry is None:
                entry = group_metrics.entries[metric.name] = Entry(metric, new_sink(metric.type))
            sinks.append(entry.sink)
        return sinks

    # -- results, in the order of their first samples ----------------------------------------------

    def checks(self) -> list[CheckTally]:
        """Return the checks."""
        return sorted(self._tallies.values(), key=lambda tally: tally.first)

    def groups(self) -> list[str]:
        """Return the paths of all groups that have ended."""
        return sorted(self._groups, key=self._groups.__getitem__)

    def group_metrics(self) -> list[tuple[tuple[str, str], GroupMetrics]]:
        """Return the metrics by (scenario, group), for the full summary.

        The group "" is a whole scenario. The scenario "" is `default`, which has no section of its own.
        """
        return sorted(self._group_metrics.items(), key=lambda item: item[1].first)

    def cardinality_warning(self) -> str | None:
        """Return k6's warning if there are many series, else None.

        The number of series that leads to the next warning doubles with each warning.
        """
        count = len(self._series)
        if count < self._warn_at:
            return None
        self._warn_at = 2 * self._warn_at
        return (
            f"The test has generated metrics with {count} unique time series, which is higher than "
            f"the suggested limit of {self.many_series} and could cause high memory usage. Consider "
            "not using high-cardinality values like unique IDs as metric tags or, if you need them in "
            "the URL, use the name metric tag or URL grouping."
        )
