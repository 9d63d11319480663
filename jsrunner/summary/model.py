"""The end-of-test summary as data, of which `text`, `export` and `machine` make texts and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from jsrunner.metrics.sinks import TrendSink
from jsrunner.metrics.store import own_scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.sinks import Sink
    from jsrunner.metrics.store import CheckTally, Entry, Store
    from jsrunner.metrics.thresholds import ThresholdSet

#: The identifier of the root group, which every run has: the MD5 of the empty text.
_ROOT_ID: Final = "d41d8cd98f00b204e9800998ecf8427e"


class ThresholdResult(Struct, frozen=True):
    """The result of a threshold at the end of the run."""

    #: The expression.
    source: str
    aggregation: str
    ok: bool
    #: The aggregated value; None if the summary does not show it.
    value: float | None


class MetricSummary(Struct, frozen=True):
    """A metric or a sub-metric with its values."""

    #: The name, that of a sub-metric with its tags.
    name: str
    metric: Metric
    #: The values by statistic.
    values: Mapping[str, float]
    #: The name of a sub-metric's metric; None for a metric.
    parent: str | None = None
    #: The tags of a sub-metric in the summary's form: `{ tag:value }`.
    label: str = ""
    thresholds: tuple[ThresholdResult, ...] = ()
    #: True if the percentiles are of all values instead of buckets.
    exact: bool = True


class CheckSummary(Struct):
    """A check of one group."""

    name: str
    #: The group's path with the check's name: `::group::check`.
    path: str
    passes: int
    fails: int

    @property
    def id(self) -> str:
        """k6's identifier of the check."""
        return _id(self.path)


class Group(Struct):
    """A group with its checks and the groups in it."""

    name: str
    #: The names of the groups around it and its own: `::outer::inner`; "" for the root group.
    path: str
    checks: dict[str, CheckSummary] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """k6's identifier of the group."""
        return _id(self.path)

    def child(self, path: str) -> Group:
        """Return the group with a path below this one; make it if there is none.

        Args:
            path: The path, such as `::a::b`. A tag that a script has set may have text before the first
                `::`, which names no group, as in k6.
        """
        group = self
        for name in path.split("::")[1:]:
            child = group.groups.get(name)
            if child is None:
                child = group.groups[name] = Group(name, f"{group.path}::{name}")
            group = child
        return group


class Section(Struct):
    """A section of the text: all results, or those of one scenario or group."""

    #: The checks, of which those with equal names are merged, in the order of their first samples.
    checks: list[CheckSummary] = field(default_factory=list)
    metrics: list[MetricSummary] = field(default_factory=list)
    groups: dict[str, Section] = field(default_factory=dict)

    def child(self, path: str) -> Section:
        """Return the section of a group below this one; make it if there is none.

        Args:
            path: The group's path, such as `::a::b`, or `a::b` in a tag that a script has set. An empty
                path is the section itself.
        """
        section = self
        for name in path.removeprefix("::").split("::") if path else ():
            section = section.groups.setdefault(name, Section())
        return section


def _id(path: str) -> str:
    """Return k6's identifier of a group or check: the MD5 of its path."""
    if not path:
        return _ROOT_ID
    import hashlib  # here, because it takes 2 ms and not all scripts have groups or checks

    return hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()


class SummaryData(Struct, frozen=True):
    """The summary of a run."""

    #: The root group, with all groups and checks.
    root: Group
    #: All results. Its groups, which only the full summary shows, are those of the scenario `default`.
    total: Section
    #: The results of the other scenarios, which only the full summary shows.
    scenarios: dict[str, Section]
    #: The option summaryTrendStats.
    trend_stats: tuple[str, ...]
    #: The option summaryTimeUnit.
    time_unit: str
    #: Seconds that the run has taken, with setup and teardown.
    duration: float
    #: The value that setup() has returned, as JSON; None for undefined.
    setup_data: bytes | None = None


def build(
    store: Store,
    thresholds: ThresholdSet,
    *,
    trend_stats: tuple[str, ...],
    time_unit: str,
    duration: float,
    setup_data: bytes | None = None,
) -> SummaryData:
    """Make the summary of a run.

    Args:
        store: The metrics.
        thresholds: The thresholds after their last evaluation.
        trend_stats: The option summaryTrendStats.
        time_unit: The option summaryTimeUnit.
        duration: Seconds that the run has taken, with setup and teardown.
        setup_data: The value that setup() has returned, as JSON; None for undefined.
    """
    root = group_tree(store)
    tallies = store.checks()
    total = Section(_merged(tallies))
    for name, entry in store.entries.items():
        results = tuple(
            ThresholdResult(
                threshold.source,
                threshold.aggregation,
                not threshold.failed,
                _shown(entry.sink, threshold.aggregation, duration, trend_stats),
            )
            for threshold in thresholds.thresholds.get(name, ())
        )
        total.metrics.append(_metric(name, entry, results, duration, trend_stats))
    scenarios: dict[str, Section] = {}
    for (scenario, group), group_metrics in store.group_metrics():
        top = scenarios.setdefault(scenario, Section()) if scenario else total
        section = top.child(group)
        section.checks = _merged(
            tally
            for tally in tallies
            if own_scenario(tally.scenario) == scenario and group in ("", tally.group)
        )
        section.metrics = [
            _metric(name, entry, (), duration, trend_stats)
            for name, entry in group_metrics.entries.items()
        ]
    return SummaryData(root, total, scenarios, trend_stats, time_unit, duration, setup_data)


def group_tree(store: Store) -> Group:
    """Return the root group, with all groups and checks of a run."""
    root = Group("", "")
    for path in store.groups():
        root.child(path)
    for tally in store.checks():
        _add_check(root, tally)
    return root


def _metric(
    name: str,
    entry: Entry,
    results: tuple[ThresholdResult, ...],
    duration: float,
    trend_stats: tuple[str, ...],
) -> MetricSummary:
    submetric = entry.submetric
    return MetricSummary(
        name,
        entry.metric,
        entry.sink.format(duration, trend_stats),
        parent=submetric.metric if submetric else None,
        label=f"{{ {submetric.suffix} }}" if submetric else "",
        thresholds=results,
        exact=not isinstance(entry.sink, TrendSink) or entry.sink.is_exact,
    )


def _shown(sink: Sink, aggregation: str, duration: float, trend_stats: tuple[str, ...]) -> float | None:
    """Return the value of a threshold, or None if the summary does not show it, as in k6."""
    shown = aggregation in trend_stats or aggregation.startswith("p(")
    if isinstance(sink, TrendSink) and not shown:
        return None
    return sink.value_of(aggregation, duration)


def _add_check(top: Group, tally: CheckTally) -> None:
    if tally.group is None:
        return
    group = top.child(tally.group)
    check = group.checks.get(tally.name)
    if check is None:
        check = CheckSummary(tally.name, f"{group.path}::{tally.name}", 0, 0)
        group.checks[tally.name] = check
    check.passes += tally.passes
    check.fails += tally.fails


def _merged(tallies: Iterable[CheckTally]) -> list[CheckSummary]:
    """Merge the checks with equal names."""
    checks: dict[str, CheckSummary] = {}
    for tally in tallies:
        path = f"{tally.group or ''}::{tally.name}"
        check = checks.setdefault(tally.name, CheckSummary(tally.name, path, 0, 0))
        check.passes += tally.passes
        check.fails += tally.fails
    return list(checks.values())
