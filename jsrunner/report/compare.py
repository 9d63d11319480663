"""The comparison of runs: how much each statistic has changed, and whether that is more than noise.

Method: batch means. Each record is cut into up to 20 consecutive batches, and the statistic is computed
in each. How much the batches of each side differ gives Welch's interval of 95 % around the change: an
interval that holds zero is noise. With three runs or more on each side the runs take the batches'
place, so that differences between runs count, too, which no single run can show. The largest value of a
run is not the mean of its batches' largest ones: only runs say anything of its noise.
"""

from __future__ import annotations

import math
import re
from statistics import variance
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.errors import UsageError
from jsrunner.report.figures import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.report.figures import MetricFigures

#: Runs of each side from which on runs are compared, and the fewest batches that say anything.
_FEWEST_RUNS: Final = 3
_FEWEST_BATCHES: Final = 5
#: The normal distribution's quantile of an interval of 95 %.
_Z: Final = 1.959964
_CONDITION: Final = re.compile(
    r"(?:(?P<metric>[a-zA-Z_]\w*)\s*:)?\s*(?P<statistic>avg|med|max|rate|p\(\d+\))\s*(?P<sign>[<>])\s*"
    r"(?P<percent>[+-]?\d+(?:\.\d+)?)\s*%\Z"
)

NOISE: Final = "noise"
CHANGED: Final = "changed"
UNKNOWN: Final = "unknown"


class Change(Struct, frozen=True):
    """A statistic of a metric on both sides. Changes are parts of the baseline: 0.1 is 10 %."""

    metric: str
    statistic: str
    contains: str
    baseline: float
    new: float
    change: float
    #: The interval of 95 % of the change; None where nothing is known of the noise.
    interval: tuple[float, float] | None
    #: noise, changed, or unknown.
    verdict: str


class Condition(Struct, frozen=True):
    """A condition of `--fail-if`."""

    text: str
    metric: str | None
    statistic: str
    is_above: bool
    limit: float

    def concerns(self, change: Change) -> bool:
        """Return True if the condition names this change's metric and statistic."""
        return self.metric in (None, change.metric) and self.statistic == change.statistic

    def holds(self, change: Change) -> bool:
        """Return True if the change fails the comparison: it exceeds the limit and is not noise."""
        beyond = change.change > self.limit if self.is_above else change.change < self.limit
        return beyond and change.verdict != NOISE


def parse_condition(text: str) -> Condition:
    """Read a condition such as `p(95)>+10%` or `http_reqs:rate<-5%`. Raises UsageError."""
    match = _CONDITION.match(text.strip())
    if match is None:
        raise UsageError(
            f"invalid condition {text!r} of --fail-if, it is like p(95)>+10% or http_reqs:rate<-5%"
        )
    limit = float(match["percent"]) / 100
    return Condition(text, match["metric"], match["statistic"], match["sign"] == ">", limit)


def compare(baseline: Mapping[str, MetricFigures], new: Mapping[str, MetricFigures]) -> list[Change]:
    """Return the changes of all statistics that both sides have, by metric."""
    return [
        _change(name, statistic, baseline[name], new[name])
        for name in sorted(baseline.keys() & new.keys())
        if baseline[name].type == new[name].type
        for statistic in STATISTICS[new[name].type]
        if statistic in baseline[name].values and statistic in new[name].values
    ]


def _change(name: str, statistic: str, old: MetricFigures, new: MetricFigures) -> Change:
    before, after = old.values[statistic], new.values[statistic]
    units: tuple[Sequence[float], Sequence[float]] | None
    runs = old.runs.get(statistic, []), new.runs.get(statistic, [])
    batches = old.batches.get(statistic, []), new.batches.get(statistic, [])
    if min(map(len, runs)) >= _FEWEST_RUNS:
        units = runs
    elif min(map(len, batches)) >= _FEWEST_BATCHES and statistic != "max":
        units = batches
    else:
        units = None
    if units is None:
        interval, verdict = None, NOISE if before == after else UNKNOWN
    else:
        reach = error_of(*units)
        low, high = after - before - reach, after - before + reach
        verdict = NOISE if low <= 0 <= high else CHANGED
        interval = (_part(low, before), _part(high, before))
    change = _part(after - before, before)
    return Change(name, statistic, new.contains, before, after, change, interval, verdict)


def _part(difference: float, baseline: float) -> float:
    if not difference:
        return 0.0
    return difference / abs(baseline) if baseline else math.copysign(math.inf, difference)


def error_of(before: Sequence[float], after: Sequence[float]) -> float:
    """Return half the length of Welch's interval of 95 % of the difference of two means.

    Args:
        before: Two figures or more.
        after: Two figures or more.
    """
    first, second = variance(before) / len(before), variance(after) / len(after)
    error = first + second
    if not error:
        return 0.0
    freedom = error**2 / (first**2 / (len(before) - 1) + second**2 / (len(after) - 1))
    return quantile(freedom) * math.sqrt(error)


def quantile(freedom: float) -> float:
    """Return the quantile of Student's t for 95 %, by the expansion of Cornish and Fisher.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.

    Args:
        freedom: Degrees of freedom; 0.3 % off at 4, less above.
    """
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (index + 1) for index, term in enumerate(terms))
