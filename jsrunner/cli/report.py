"""The command `jsrunner report`: write a recorded run as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.cli.inputs import command
from jsrunner.errors import ExitCode, UsageError
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.runtime import Globals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Invocation

USAGE: Final = """Write a recorded run (jsrunner run --save run.jsr) as an HTML page.

Usage:
  jsrunner report [flags] run.jsr"""


def flags() -> list[Flag]:
    """Return the command's flags."""
    return [
        Flag("output", "the HTML file", short="o", word="file", default="report.html"),
        Flag("baseline", "lay the figures of this record over the run's", word="run.jsr"),
        *flags_of(Globals),
    ]


def report(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _report)


def _report(invocation: Invocation) -> int:
    if len(invocation.arguments) != 1:
        raise UsageError(f"accepts 1 arg(s), received {len(invocation.arguments)}: the record of a run")
    from jsrunner.report.document import write_report

    path = invocation.flags.get("output", "report.html")

    def warn(text: str) -> None:
        invocation.logger.log("warning", text)

    write_report(invocation.arguments[0], path, invocation.flags.get("baseline"), warn)
    if not invocation.globals.quiet:
        print(f"wrote {path}")
    return ExitCode.SUCCESS
