"""`jsrunner completion`: commands, flags and scripts at the press of a key."""

from __future__ import annotations

import importlib
import importlib.util
import shlex
from typing import TYPE_CHECKING, Final

from jsrunner.cli.inputs import command
from jsrunner.cli.main import COMMANDS
from jsrunner.errors import ExitCode, UsageError
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.runtime import Globals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Given

USAGE: Final = """Write a completion script to standard output.

Usage:
  jsrunner completion bash            source <(jsrunner completion bash)
  jsrunner completion zsh             source <(jsrunner completion zsh)
  jsrunner completion fish            jsrunner completion fish | source"""

_BASH: Final = """\
_jsrunner() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" name= word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$word" in -*) ;; *) name="$word"; break ;; esac
  done
  local flags={shared} commands={commands}
  case "$name" in
{cases}
  esac
  if [[ -z "$name" && "$current" != -* ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  elif [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ "$name" == completion ]]; then
    COMPREPLY=($(compgen -W "bash zsh fish" -- "$current"))
  elif [[ "$name" == help ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _jsrunner jsrunner
"""


def flags() -> list[Flag]:
    return flags_of(Globals)


def completion(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    return command(words, flags(), USAGE, _write)


def _write(given: Given) -> int:
    shells = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    if len(given.arguments) != 1 or given.arguments[0] not in shells:
        raise UsageError(f"completion is for one of {', '.join(shells)}")
    print(shells[given.arguments[0]](), end="")
    return ExitCode.SUCCESS


def _flags() -> dict[str, list[Flag]]:
    """The flags of each command."""
    found: dict[str, list[Flag]] = {}
    for name in COMMANDS:
        module = f"jsrunner.cli.{name}"
        if importlib.util.find_spec(module):
            found[name] = importlib.import_module(module).flags()
    return found


def _spellings(some: Sequence[Flag]) -> str:
    return " ".join([f"--{one.name}" for one in some] + [f"-{one.short}" for one in some if one.short])


def _bash() -> str:
    cases = "\n".join(
        f"    {name}) flags={shlex.quote(_spellings(some))} ;;" for name, some in _flags().items()
    )
    return _BASH.format(
        commands=shlex.quote(" ".join([*COMMANDS, "help"])),
        shared=shlex.quote(_spellings(flags_of(Globals))),
        cases=cases,
    )


def _zsh() -> str:
    """zsh understands bash's."""
    return "autoload -Uz bashcompinit && bashcompinit\n" + _bash()


def _fish() -> str:
    lines = ["complete -c jsrunner -n __fish_use_subcommand -f"]
    for name, (_, text) in COMMANDS.items():
        lines.append(
            f"complete -c jsrunner -n __fish_use_subcommand -f -a {name} -d {shlex.quote(text)}"
        )
    for name, some in _flags().items():
        seen = shlex.quote(f"__fish_seen_subcommand_from {name}")
        for one in some:
            short = f" -s {one.short}" if one.short else ""
            value = " -r" if one.bare is None else ""
            help_ = shlex.quote(one.help)
            lines.append(f"complete -c jsrunner -n {seen}{short} -l {one.name}{value} -d {help_}")
    shells = "__fish_seen_subcommand_from completion"
    lines.append(f"complete -c jsrunner -n '{shells}' -f -a 'bash zsh fish'")
    return "\n".join(lines) + "\n"
