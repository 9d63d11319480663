"""The command line: which command, and one place where errors become exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from jsrunner import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE: Final = f"""jsrunner {__version__}: runs k6 load-test scripts from Python.

Usage:
  jsrunner run [flags] script.js     run a script (jsrunner run --help lists the flags)
  jsrunner archive [flags] script.js pack a script with all that it needs into a file to run
  jsrunner serve [flags]             a WebSocket server on this machine to try scripts on
  jsrunner version                   the version
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that `words` (default: the process's arguments) name; the exit code."""
    arguments = list(sys.argv[1:] if words is None else words)
    command, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if command == "run":
        from jsrunner.cli.run import run

        return run(rest)
    if command == "archive":
        from jsrunner.cli import archive

        return archive.run(rest)
    if command == "serve":
        from jsrunner.cli.serve import serve

        return serve(rest)
    if command in ("version", "--version"):
        print(f"jsrunner {__version__}")
        return 0
    if command in ("help", "--help", "-h"):
        print(_USAGE)
        return 0
    print(f'unknown command "{command}" for "jsrunner"\n\n{_USAGE}', file=sys.stderr)
    return 255
