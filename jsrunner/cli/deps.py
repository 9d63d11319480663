"""The command `jsrunner deps`: list the modules that a script imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.cli.inputs import command
from jsrunner.cli.inspect import load
from jsrunner.errors import ExitCode
from jsrunner.options import kinds
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.runtime import Globals, Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Invocation

USAGE: Final = """List the modules that a script loads, those of k6 and the others.

Usage:
  jsrunner deps [flags] script.js"""


def flags() -> list[Flag]:
    """Return the flags of the command."""
    json = Flag("json", "print JSON", bare="true", parse=kinds.Bool().from_text)
    return [json, *flags_of(Runtime), *flags_of(Globals)]


def deps(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _list)


def _list(invocation: Invocation) -> int:
    _, modules = load(invocation).look()
    imports = sorted(modules)
    extensions = [name for name in imports if name.startswith("k6/x/")]
    if invocation.flags.get("json"):
        import json

        dependencies = {
            "buildDependencies": dict.fromkeys(extensions, "*"),
            "imports": imports,
            "customBuildRequired": False,  # extensions are installed packages
        }
        print(json.dumps(dependencies, indent=2))
        return ExitCode.SUCCESS
    print("Build Dependencies:" if extensions else "Build Dependencies: (none)")
    print("".join(f"  {name}: *\n" for name in extensions))
    print("Imports:")
    print("".join(f"  {name}\n" for name in imports))
    print("Custom Build Required: no")
    return ExitCode.SUCCESS
