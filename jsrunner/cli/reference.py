"""`jsrunner reference`, for maintenance: the README's tables of options, made from their rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jsrunner.cli.inputs import command
from jsrunner.errors import ExitCode, UsageError
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.model import Options, rows
from jsrunner.options.runtime import Globals, Runtime
from jsrunner.options.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Given
    from jsrunner.options.model import Row

USAGE: Final = """The reference of all options as Markdown: to standard output, or into the block of
a file between `<!-- options -->` and `<!-- /options -->`.

Usage:
  jsrunner reference [README.md]"""

BLOCK: Final = re.compile(r"(?<=<!-- options -->\n).*?(?=<!-- /options -->)", re.DOTALL)


def flags() -> list[Flag]:
    return flags_of(Globals)


def reference(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    return command(words, flags(), USAGE, _write)


def _write(given: Given) -> int:
    if not given.arguments:
        print(tables(), end="")
        return ExitCode.SUCCESS
    path = Path(given.arguments[0])
    text = path.read_text(encoding="utf-8")
    if not BLOCK.search(text):
        raise UsageError(f"{path} has no lines <!-- options --> and <!-- /options -->")
    path.write_text(BLOCK.sub(lambda _: tables(), text), encoding="utf-8")
    return ExitCode.SUCCESS


def tables() -> str:
    """Options of the test, flags of `run`, flags of all commands."""
    return (
        "Options of a test, by their names in a script and in the config file:\n\n"
        + _table(Options, named=True)
        + "\nHow `jsrunner run` runs it:\n\n"
        + _table(Selection, Runtime)
        + "\nWhat every command takes:\n\n"
        + _table(Globals)
    )


def _table(*classes: type[Any], named: bool = False) -> str:
    heads = [*(["option"] if named else []), "flag", "variable", "default", "meaning"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for _, row in (one for of in classes for one in rows(of)):
        cells = [_code(row.json)] if named else []
        cells += [_flag(row), _code(row.variable), _code(row.default), row.help]
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _flag(row: Row) -> str:
    if not row.flag:
        return ""
    word = row.word or row.kind.word
    value = f" {word}" if word and row.bare is None else ""
    short = f"`-{row.short}` " if row.short else ""
    return f"{short}`--{row.flag}{value}`"
