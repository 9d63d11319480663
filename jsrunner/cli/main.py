"""The command line: which command, and what there is to know of each."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import ExitCode, UsageError
from jsrunner.version import K6_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

#: name -> (arguments, what it does). Each is a function of its name in the module of that name here;
#: `flags()` beside it tells its flags.
COMMANDS: Final = {
    "run": ("[flags] script.js", "run a script"),
    "inspect": ("[flags] script.js", "show the options of a script as JSON"),
    "archive": ("[flags] script.js", "pack a script with all that it needs into one file"),
    "new": ("[flags] [script.js]", "write a new script to start from"),
    "deps": ("[flags] script.js", "list what a script imports"),
    "report": ("[flags] run.jsr", "write a recorded run as an HTML page"),
    "serve": ("[flags]", "a WebSocket server on this machine to try scripts on"),
    "features": ("[--json]", "list the feature flags"),
    "completion": ("bash|zsh|fish", "completion of commands and flags for a shell"),
    "version": ("[--json]", "the version"),
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that `words` (default: the process's arguments) name; the exit code.

    Raises BrokenPipeError where nobody reads what a command has to say.
    """
    name, rest = _split(list(sys.argv[1:] if words is None else words))
    if name == "help":
        name, rest = (rest[0], ["--help"]) if rest else ("", [])
    if name in COMMANDS:
        code: int = getattr(_module(name), name)(rest)
        if name != "run":  # which sees to its outputs itself
            sys.stdout.flush()
        return code
    if name == "" and (not rest or {"-h", "--help"} & set(rest)):
        print(usage(), flush=True)
        return ExitCode.SUCCESS
    if name == "" and "--version" in rest:
        return main(["version"])
    return _unknown(name, rest)


def usage() -> str:
    """What `jsrunner` alone says."""
    heads = {name: f"jsrunner {name} {arguments}" for name, (arguments, _) in COMMANDS.items()}
    width = max(map(len, heads.values()))
    lines = [f"  {heads[name]:<{width}}   {text}" for name, (_, text) in COMMANDS.items()]
    return (
        f"jsrunner {__version__}: runs k6 load-test scripts (k6 {K6_VERSION}) from Python.\n\n"
        "Usage:\n" + "\n".join(lines) + "\n\n`jsrunner help COMMAND` lists a command's flags."
    )


def _module(name: str) -> Any:
    return importlib.import_module(f"jsrunner.cli.{name}")


def _split(words: list[str]) -> tuple[str, list[str]]:
    """(command, its words): flags that every command takes may stand before it."""
    if not words or not words[0].startswith("-"):
        return (words[0], words[1:]) if words else ("", [])
    from jsrunner.options.flags import flags_of
    from jsrunner.options.runtime import Globals

    known = flags_of(Globals)
    with_value = {f"--{one.name}" for one in known if one.bare is None}
    with_value |= {f"-{one.short}" for one in known if one.bare is None and one.short}
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
    import difflib

    from jsrunner.cli.inputs import report
    from jsrunner.ui.log import Logger

    if not name:
        return report(Logger(), UsageError(f"{rest[0]}: which command? `jsrunner help` lists them"))
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean {near[0]}?" if near else "`jsrunner help` lists the commands"
    return report(Logger(), UsageError(f'unknown command "{name}" for "jsrunner"', hint=hint))
