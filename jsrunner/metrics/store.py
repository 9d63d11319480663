"""The metrics of a whole run, merged from what the workers send."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, ClassVar, Final

from msgspec import Struct

from jsrunner.metrics.sinks import CounterSink, GaugeSink, RateSink, Sink, TrendSink, new_sink
from jsrunner.metrics.thresholds import Submetric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.metrics.registry import Metric, Registry
    from jsrunner.metrics.thresholds import ThresholdSet

#: So many time series are worth a warning, and twice as many another.
MANY_SERIES: Final = 100_000

_EXPECTED: Final = "http_req_duration{expected_response:true}"
#: Groups that setup and teardown measure in, which the full summary leaves out.
_STAGES: Final = ("setup", "teardown")


def own_scenario(name: str) -> str:
    """The scenario whose results stand apart in the full summary, "" for one that does not."""
    return "" if name == "default" else name


class CheckTally(Struct):
    """How often a check passed and failed, in one group of one scenario."""

    name: str
    #: The tag `group`; None without one, as if the tag is switched off.
    group: str | None
    scenario: str
    #: When it was seen first, in seconds since the epoch.
    first: float
    passes: int = 0
    fails: int = 0


class Entry(Struct):
    """A metric or sub-metric with what is kept of it."""

    metric: Metric
    sink: Sink
    submetric: Submetric | None = None


class Part(Struct):
    """The metrics of a scenario or of a group, and when the first sample of them was taken."""

    first: float
    entries: dict[str, Entry]


class Series:
    """A metric with one tag set: the sinks that its samples go to."""

    __slots__ = ("_check", "_sinks", "_type", "metric", "tags")

    def __init__(
        self, metric: Metric, tags: dict[str, str], sinks: list[Sink], check: CheckTally | None
    ) -> None:
        self.metric = metric
        self.tags = tags
        self._type = metric.type
        self._sinks = sinks
        self._check = check

    def merge(self, delta: Any) -> None:
        """Add a delta: counter sum; rate (hits, total); gauge (last, min, max); doubles as bytes."""
        if self._type == "trend":
            values = array("d")
            values.frombytes(delta)
            for sink in self._sinks:
                assert isinstance(sink, TrendSink)
                sink.extend(values)
            return
        for sink in self._sinks:
            if isinstance(sink, CounterSink):
                sink.add(delta)
            elif isinstance(sink, RateSink):
                sink.merge_counts(*delta)
            else:
                assert isinstance(sink, GaugeSink)
                sink.merge_values(*delta)
        if self._check is not None:
            hits, total = delta
            self._check.passes += hits
            self._check.fails += total - hits


class Store:
    """Metrics, sub-metrics, checks and, for the full summary, the same by scenario and group."""

    many_series: ClassVar = MANY_SERIES

    def __init__(
        self, thresholds: ThresholdSet, *, system_tags: frozenset[str], by_group: bool = False
    ) -> None:
        self.entries: dict[str, Entry] = {}
        self._tallies: dict[tuple[str, str | None, str], CheckTally] = {}
        #: When the groups were seen first, by path.
        self._groups: dict[str, float] = {}
        self._parts: dict[tuple[str, str], Part] = {}
        self._thresholds = thresholds
        self._by_group = by_group
        self._series: dict[tuple[str, frozenset[tuple[str, str]]], Series] = {}
        self._warn_at = self.many_series
        self._submetrics: dict[str, list[Submetric]] = {}
        for submetric in thresholds.submetrics.values():
            self._submetrics.setdefault(submetric.metric, []).append(submetric)
        if "expected_response" in system_tags and _EXPECTED not in thresholds.submetrics:
            expected = Submetric(_EXPECTED, "http_req_duration", {"expected_response": "true"})
            self._submetrics.setdefault("http_req_duration", []).append(expected)

    def add_thresholds(self, registry: Registry) -> None:
        """Make the entries of metrics that thresholds name, so that they are judged, and shown, empty
        too; with a sub-metric its metric."""
        for key in self._thresholds.thresholds:
            name = self._thresholds.metric_name(key)
            metric = registry.get(name)
            assert metric is not None  # they were validated
            self._entry(name, metric)
            self._entry(key, metric, self._thresholds.submetrics.get(key))

    def submetrics(self, name: str) -> Sequence[Submetric]:
        """All that are kept of a metric."""
        return self._submetrics.get(name, ())

    def sink(self, key: str) -> Sink | None:
        entry = self.entries.get(key)
        return entry.sink if entry else None

    def _entry(self, key: str, metric: Metric, submetric: Submetric | None = None) -> Entry:
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = Entry(metric, new_sink(metric.type), submetric)
        return entry

    def series(self, metric: Metric, tags: dict[str, str], first: float = 0.0) -> Series:
        """The series of a metric with these tags; what it feeds is settled here, once.

        `first` is when its first sample was taken: several processes tell of the same series.
        """
        check = self._tally(tags, first) if metric.name == "checks" and "check" in tags else None
        if metric.name == "group_duration" and (group := tags.get("group")):
            self._groups[group] = min(self._groups.get(group, first), first)
        key = (metric.name, frozenset(tags.items()))
        found = self._series.get(key)
        if found is None:
            sinks = [self._entry(metric.name, metric).sink]
            sinks += [
                self._entry(submetric.name, metric, submetric).sink
                for submetric in self.submetrics(metric.name)
                if submetric.tags.items() <= tags.items()
            ]
            if self._by_group:
                sinks += self._part_sinks(metric, tags, first)
            found = self._series[key] = Series(metric, tags, sinks, check)
        return found

    def _tally(self, tags: dict[str, str], first: float) -> CheckTally:
        key = (tags.get("scenario", ""), tags.get("group"), tags["check"])
        tally = self._tallies.get(key)
        if tally is None:
            scenario, group, name = key
            tally = self._tallies[key] = CheckTally(name, group, scenario, first)
        tally.first = min(tally.first, first)
        return tally

    def _part_sinks(self, metric: Metric, tags: dict[str, str], first: float) -> list[Sink]:
        scenario, group = own_scenario(tags.get("scenario", "")), tags.get("group", "")
        keys = [(scenario, "")] if scenario else []
        if group and group.removeprefix("::") not in _STAGES:
            keys.append((scenario, group))
        sinks = []
        for key in keys:
            part = self._parts.setdefault(key, Part(first, {}))
            part.first = min(part.first, first)
            entry = part.entries.get(metric.name)
            if entry is None:
                entry = part.entries[metric.name] = Entry(metric, new_sink(metric.type))
            sinks.append(entry.sink)
        return sinks

    # -- in the order in which they were seen first ------------------------------------------------

    def checks(self) -> list[CheckTally]:
        return sorted(self._tallies.values(), key=lambda one: one.first)

    def groups(self) -> list[str]:
        """Paths of all groups that have ended."""
        return sorted(self._groups, key=self._groups.__getitem__)

    def parts(self) -> list[tuple[tuple[str, str], Part]]:
        """For the full summary: (scenario, group) with its metrics; the group "" is all of a scenario,
        the scenario "" is `default`, whose results are not shown apart."""
        return sorted(self._parts.items(), key=lambda item: item[1].first)

    def cardinality_warning(self) -> str | None:
        """A text, once, when there are many series; again at twice as many."""
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
