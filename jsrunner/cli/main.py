"""Command table and dispatch."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import ExitCode, UsageError
from jsrunner.imports import import_msgspec
from jsrunner.version import K6_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The arguments and the meaning of each command. A command is a function in the module of the same name
#: in this package; the function `flags` of that module returns its flags.
COMMANDS: Final = {
    "run": ("[flags] script.js", "run a script"),
    "inspect": ("[flags] script.js", "show the options of a script as JSON"),
    "archive": ("[flags] script.js", "pack a script with all that it needs into one file"),
    "new": ("[flags] [script.js]", "write a new script to start from"),
    "deps": ("[flags] script.js", "list what a script imports"),
    "report": ("[flags] run.jsr", "write a recorded run as an HTML page"),
    "compare": ("[flags] baseline.jsr new.jsr", "compare recorded runs"),
    "serve": ("[flags]", "start a WebSocket server on this machine to try scripts on"),
    "features": ("[--json]", "list the feature flags"),
    "completion": ("bash|zsh|fish", "print the completion script of a shell"),
    "version": ("[--json]", "show the version"),
}


def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        words: The command line; by default that of the process.

    Returns:
        The exit code.

    Raises:
        BrokenPipeError: Nobody reads standard output any more.
    """
    name, rest = _split(list(sys.argv[1:] if words is None else words))
    if name == "help":
        name, rest = (rest[0], ["--help"]) if rest else ("", [])
    if name in COMMANDS:
        code: int = getattr(_module(name), name)(rest)
        if name != "run":  # a run flushes its outputs itself
            sys.stdout.flush()
        return code
    if name == "" and (not rest or {"-h", "--help"} & set(rest)):
        print(usage(), flush=True)
        return ExitCode.SUCCESS
    if name == "" and "--version" in rest:
        return main(["version"])
    return _unknown(name, rest)


def usage() -> str:
    """Return the text that `jsrunner` without a command prints."""
    heads = {name: f"jsrunner {name} {arguments}" for name, (arguments, _) in COMMANDS.items()}
    width = max(map(len, heads.values()))
    lines = [f"  {heads[name]:<{width}}   {text}" for name, (_, text) in COMMANDS.items()]
    return (
        f"jsrunner {__version__}: runs k6 load-test scripts (k6 {K6_VERSION}) from Python.\n\n"
        "Usage:\n" + "\n".join(lines) + "\n\n`jsrunner help COMMAND` lists a command's flags."
    )


def _module(name: str) -> Any:
    if name != "version":
        import_msgspec()
    return importlib.import_module(f"jsrunner.cli.{name}")


def _split(words: list[str]) -> tuple[str, list[str]]:
    """Split a command line into the command and its words.

    The flags of every command may stand before the command.
    """
    if not words or not words[0].startswith("-"):
        return (words[0], words[1:]) if words else ("", [])
    from jsrunner.options.flags import flags_of
    from jsrunner.options.runtime import Globals

    known = flags_of(Globals)
    with_value = {f"--{flag.name}" for flag in known if flag.bare is None}
    with_value |= {f"-{flag.short}" for flag in known if flag.bare is None and flag.short}
    before: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            return word, [*before, *rest]
        before.append(word)
        if word in with_value:
            before += [value for value in [next(rest, None)] if value is not None]
    return "", before


def _unknown(name: str, rest: Sequence[str]) -> int:
    """Report a missing or unknown command; return the exit code."""
    import difflib

    from jsrunner.cli.inputs import report
    from jsrunner.ui.log import Logger

    if not name:
        return report(Logger(), UsageError(f"{rest[0]}: which command? `jsrunner help` lists them"))
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean {near[0]}?" if near else "`jsrunner help` lists the commands"
    return report(Logger(), UsageError(f'unknown command "{name}" for "jsrunner"', hint=hint))
