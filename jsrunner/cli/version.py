"""The command `jsrunner version`. Without flags it imports almost nothing, so that it is quick."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

from jsrunner.errors import ExitCode, UsageError
from jsrunner.version import K6_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Invocation
    from jsrunner.options.flags import Flag

USAGE: Final = """Show the version of jsrunner, and the version of k6 that it follows.

Usage:
  jsrunner version [--json]"""


def flags() -> list[Flag]:
    """Return the flags of the command."""
    from jsrunner.options import kinds
    from jsrunner.options.flags import Flag, flags_of
    from jsrunner.options.runtime import Globals

    return [Flag("json", "print JSON", bare="true", parse=kinds.Bool().from_text), *flags_of(Globals)]


def version(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    if not words:
        return _show(json=False)
    from jsrunner.cli.inputs import command

    return command(words, flags(), USAGE, _version)


def _version(invocation: Invocation) -> int:
    if invocation.arguments:
        raise UsageError(f'unknown command "{invocation.arguments[0]}" for "jsrunner version"')
    return _show(json=bool(invocation.flags.get("json")))


def _show(*, json: bool) -> int:
    system = f"{platform.system().lower()}/{platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    if json:
        from json import dumps

        details = {
            "version": f"v{__version__}",
            "k6_version": f"v{K6_VERSION}",
            "python_version": python,
            "platform": system,
        }
        print(dumps(details))
    else:
        print(f"jsrunner {__version__} (k6 {K6_VERSION}, {python}, {system})")
    return ExitCode.SUCCESS
