"""The command `jsrunner completion`: print a shell's script that completes commands and flags."""

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

    from jsrunner.cli.inputs import Invocation

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
    """Return the flags of the command."""
    return flags_of(Globals)


def completion(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _write)


def _write(invocation: Invocation) -> int:
    shells = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    if len(invocation.arguments) != 1 or invocation.arguments[0] not in shells:
        raise UsageError(f"completion needs the name of a shell: {', '.join(shells)}")
    print(shells[invocation.arguments[0]](), end="")
    return ExitCode.SUCCESS


def _flags_by_command() -> dict[str, list[Flag]]:
    flags_by_command: dict[str, list[Flag]] = {}
    for name in COMMANDS:
        module = f"jsrunner.cli.{name}"
        if importlib.util.find_spec(module):
            flags_by_command[name] = importlib.import_module(module).flags()
    return flags_by_command


def _spellings(flags: Sequence[Flag]) -> str:
    """Return all long and short forms of flags, with spaces between them."""
    long = [f"--{flag.name}" for flag in flags]
    return " ".join(long + [f"-{flag.short}" for flag in flags if flag.short])


def _bash() -> str:
    cases = "\n".join(
        f"    {name}) flags={shlex.quote(_spellings(own))} ;;"
        for name, own in _flags_by_command().items()
    )
    return _BASH.format(
        commands=shlex.quote(" ".join([*COMMANDS, "help"])),
        shared=shlex.quote(_spellings(flags_of(Globals))),
        cases=cases,
    )


def _zsh() -> str:
    """Return bash's script with a prefix by which zsh understands it."""
    return "autoload -Uz bashcompinit && bashcompinit\n" + _bash()


def _fish() -> str:
    lines = ["complete -c jsrunner -n __fish_use_subcommand -f"]
    for name, (_, text) in COMMANDS.items():
        lines.append(
            f"complete -c jsrunner -n __fish_use_subcommand -f -a {name} -d {shlex.quote(text)}"
        )
    for name, own in _flags_by_command().items():
        seen = shlex.quote(f"__fish_seen_subcommand_from {name}")
        for flag in own:
            short = f" -s {flag.short}" if flag.short else ""
            value = " -r" if flag.bare is None else ""
            help_ = shlex.quote(flag.help)
            lines.append(f"complete -c jsrunner -n {seen}{short} -l {flag.name}{value} -d {help_}")
    shells = "__fish_seen_subcommand_from completion"
    lines.append(f"complete -c jsrunner -n '{shells}' -f -a 'bash zsh fish'")
    return "\n".join(lines) + "\n"
