"""The end-of-test summary as data: everything that its text, its JSON and handleSummary show."""

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

#: The identifier of the root group, which every run has: the MD5 of nothing.
_ROOT_ID: Final = "d41d8cd98f00b204e9800998ecf8427e"


class ThresholdResult(Struct, frozen=True):
    """`value` is what the expression was compared with; None where the summary does not show it."""

    source: str
    aggregation: str
    ok: bool
    value: float | None


class MetricSummary(Struct, frozen=True):
    """A metric, or a sub-metric, whose `parent` is the metric and `label` its `{tag:value}`."""

    name: str
    metric: Metric
    values: Mapping[str, float]
    parent: str | None = None
    label: str = ""
    thresholds: tuple[ThresholdResult, ...] = ()
    exact: bool = True


class Check(Struct):
    """A check of one group."""

    name: str
    path: str
    passes: int
    fails: int

    @property
    def id(self) -> str:
        return _id(self.path)


class Group(Struct):
    """A group: its own checks and the groups inside."""

    name: str
    path: str
    checks: dict[str, Check] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return _id(self.path)

    def child(self, path: str) -> Group:
        """The group below this one with a path such as `::a::b`, made if there is none.

        What stands before the first `::`, in a tag that a script has set, names no group, as in k6.
        """
        group = self
        for name in path.split("::")[1:]:
            found = group.groups.get(name)
            if found is None:
                found = group.groups[name] = Group(name, f"{group.path}::{name}")
            group = found
        return group


class Section(Struct):
    """What a part of the text shows: all results, or those of a scenario or a group."""

    #: Those of equal name as one, in the order in which they were seen first.
    checks: list[Check] = field(default_factory=list)
    metrics: list[MetricSummary] = field(default_factory=list)
    groups: dict[str, Section] = field(default_factory=dict)

    def child(self, path: str) -> Section:
        """The section of a group below this one with a path such as `::a::b` or, in a tag that a script
        has set, `a::b`; itself for an empty path."""
        section = self
        for name in path.removeprefix("::").split("::") if path else ():
            section = section.groups.setdefault(name, Section())
        return section


def _id(path: str) -> str:
    """Return k6's identifier of a group or check: the MD5 of its path."""
    if not path:
        return _ROOT_ID
    import hashlib  # 2 ms, for scripts that have groups or checks

    return hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()


class SummaryData(Struct, frozen=True):
    """Everything. `duration` is the run's, in seconds, setup and teardown included."""

    #: Checks by group.
    root: Group
    #: All metrics; its groups, which the full mode shows, are those of the scenario `default`.
    total: Section
    #: For the full mode: the other scenarios.
    scenarios: dict[str, Section]
    trend_stats: tuple[str, ...]
    time_unit: str
    duration: float
    #: What setup() has returned, as JSON; None for undefined.
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
    """The summary of what was measured."""
    root = group_tree(store)
    tallies = store.checks()
    total = Section(_merged(tallies))
    for name, entry in store.entries.items():
        results = tuple(
            ThresholdResult(
                one.source,
                one.aggregation,
                not one.failed,
                _shown(entry.sink, one.aggregation, duration, trend_stats),
            )
            for one in thresholds.thresholds.get(name, ())
        )
        total.metrics.append(_metric(name, entry, results, duration, trend_stats))
    scenarios: dict[str, Section] = {}
    for (scenario, group), part in store.group_metrics():
        top = scenarios.setdefault(scenario, Section()) if scenario else total
        section = top.child(group)
        section.checks = _merged(
            one
            for one in tallies
            if own_scenario(one.scenario) == scenario and group in ("", one.group)
        )
        section.metrics = [
            _metric(name, entry, (), duration, trend_stats) for name, entry in part.entries.items()
        ]
    return SummaryData(root, total, scenarios, trend_stats, time_unit, duration, setup_data)


def group_tree(store: Store) -> Group:
    """All groups with their checks; the top one has no name."""
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
        check = Check(tally.name, f"{group.path}::{tally.name}", 0, 0)
        group.checks[tally.name] = check
    check.passes += tally.passes
    check.fails += tally.fails


def _merged(tallies: Iterable[CheckTally]) -> list[Check]:
    """Checks of equal name as one."""
    found: dict[str, Check] = {}
    for one in tallies:
        check = found.setdefault(one.name, Check(one.name, f"{one.group or ''}::{one.name}", 0, 0))
        check.passes += one.passes
        check.fails += one.fails
    return list(found.values())
