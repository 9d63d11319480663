"""`jsrunner compare`: the changes between runs that exceed noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.cli.inputs import command
from jsrunner.errors import ExitCode, UsageError
from jsrunner.options import kinds
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.runtime import Globals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Invocation
    from jsrunner.report.compare import Change, Condition

USAGE: Final = """Compare a run with a baseline: records (run --save), or summaries (--summary-export).

Usage:
  jsrunner compare [flags] baseline.jsr new.jsr
  jsrunner compare [flags] base1.jsr,base2.jsr new1.jsr,new2.jsr     runs that count together"""

_FORMATS: Final = kinds.Choice(("text", "markdown"), 'invalid format "{}", use text or markdown')


def flags() -> list[Flag]:
    """Return the command's flags."""
    return [
        Flag(
            "fail-if", "exit with 99 if a change that is no noise goes beyond, e.g. `p(95)>+10%`",
            word="condition", repeats=True,
        ),
        Flag("format", "text or markdown", word="format", default="text"),
        Flag("output", "also write an HTML report with the baseline laid over", short="o", word="file"),
        *flags_of(Globals),
    ]  # fmt: skip


def compare(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _compare)


def _compare(invocation: Invocation) -> int:
    from jsrunner.report.compare import compare, parse_condition
    from jsrunner.report.figures import figures_of
    from jsrunner.report.tables import markdown_table, text_table

    if len(invocation.arguments) != 2:
        raise UsageError(
            f"accepts 2 arg(s), received {len(invocation.arguments)}: the baseline and the run"
        )
    try:
        shape = _FORMATS.from_text(invocation.flags.get("format", "text"))
    except ValueError as error:
        raise UsageError(str(error)) from None
    conditions = [parse_condition(text) for text in invocation.flags.get("fail-if", ())]
    baseline, new = (argument.split(",") for argument in invocation.arguments)

    def warn(text: str) -> None:
        invocation.logger.log("warning", text)

    changes = compare(figures_of(baseline, warn), figures_of(new, warn))
    failures = _failures(conditions, changes)
    print((markdown_table if shape == "markdown" else text_table)(changes), end="")
    if path := invocation.flags.get("output"):
        from jsrunner.report.document import write_report

        write_report(new[0], path, baseline[0])
    for failure in failures:
        invocation.logger.log("error", failure)
    return ExitCode.THRESHOLDS_FAILED if failures else ExitCode.SUCCESS


def _failures(conditions: Sequence[Condition], changes: Sequence[Change]) -> list[str]:
    """Return what the conditions fail for. Raises UsageError for one that is about nothing."""
    from jsrunner.report.tables import percent

    failures = []
    for condition in conditions:
        concerned = [change for change in changes if condition.concerns(change)]
        if not concerned:
            raise UsageError(f"--fail-if {condition.text}: no metric of both runs has this statistic")
        failures += [
            f"{change.metric} {change.statistic} has changed by {percent(change.change)}, "
            f"which --fail-if {condition.text} forbids"
            for change in concerned
            if condition.holds(change)
        ]
    return failures
