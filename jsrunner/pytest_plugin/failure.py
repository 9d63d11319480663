"""Why a script has failed, as pytest shows it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import jsrunner

#: Different exceptions of a script that a report shows.
_EXCEPTIONS_MAX: Final = 10


class K6Failure(AssertionError):
    """A run that has not passed."""

    def __init__(self, result: jsrunner.Result) -> None:
        super().__init__("\n".join(_report(result)))
        self.result = result


def check(result: jsrunner.Result, *, strict: bool) -> None:
    """Raise K6Failure for a run that has not passed.

    Args:
        result: The result of the run.
        strict: True if failed checks, and exceptions of the script, count too.
    """
    __tracebackhide__ = True
    failed = not result.passed
    if strict and not failed:
        failed = any(counts.fails for counts in result.checks.values()) or bool(_exceptions(result))
    if failed:
        raise K6Failure(result)


def properties(result: jsrunner.Result) -> Iterator[tuple[str, float]]:
    """Yield the values of all metrics by names such as `k6.http_req_duration.p(95)`."""
    for metric, values in result.metrics.items():
        for name, value in values.items():
            yield f"k6.{metric}.{name}", value


def _report(result: jsrunner.Result) -> Iterator[str]:
    reason = result.reason.partition("\n")[0] or "checks failed, or the script has thrown"
    yield f"{result.name}: {reason} (exit code {result.exit_code.value})"
    crossed = [threshold for threshold in result.thresholds if not threshold.passed]
    if crossed:
        yield "thresholds crossed:"
        yield from (f"  {threshold}" for threshold in crossed)
    failed = {path: check for path, check in result.checks.items() if check.fails}
    if failed:
        yield "checks failed:"
        for path, counts in failed.items():
            yield f"  {path.removeprefix('::')}: {counts.fails} of {counts.passes + counts.fails}"
    exceptions = _exceptions(result)
    if exceptions:
        yield "exceptions:"
        for text, count in exceptions.most_common(_EXCEPTIONS_MAX):
            first, *rest = text.rstrip().expandtabs(2).splitlines()
            yield f"  {first}" + (f" ({count} times)" if count > 1 else "")
            yield from (f"  {line}" for line in rest)
        if len(exceptions) > _EXCEPTIONS_MAX:
            yield f"  and {len(exceptions) - _EXCEPTIONS_MAX} others"
    shown = {*exceptions, result.reason}
    errors = [record.text for record in result.log if record.level == "error"]
    for text in dict.fromkeys(errors):
        if text not in shown:
            yield f"error: {text}"


def _exceptions(result: jsrunner.Result) -> Counter[str]:
    """Count the exceptions of the script by their text, which ends in their stack."""
    return Counter(record.text for record in result.log if record.fields.get("source") == "stacktrace")
