"""The command line as k6's reads it (POSIX flags, GNU style): `--flag value`, `--flag=value`, `-u5`,
`-u 5`, flags anywhere between the arguments, `--` before the last ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jsrunner.errors import UsageError
from jsrunner.options import kinds
from jsrunner.options.model import Options, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Flag(Struct, frozen=True):
    """A flag: `bare` is its value where none is given; without `bare` it needs one."""

    name: str
    help: str
    short: str = ""
    word: str = ""
    bare: str | None = None
    repeats: bool = False
    default: str = ""
    parse: Callable[[str], Any] = str


class FlagSet:
    """A command's flags."""

    def __init__(self, flags: Iterable[Flag]) -> None:
        self.flags = list(flags)
        self._by_name = {one.name: one for one in self.flags}
        self._by_short = {one.short: one for one in self.flags if one.short}

    def parse(self, words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """(value or list of values by the flag's name, arguments). Raises UsageError."""
        values: dict[str, Any] = {}
        arguments: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                arguments += rest
                break
            if word.startswith("--"):
                name, equals, value = word[2:].partition("=")
                flag = self._by_name.get(name)
                if flag is None:
                    raise UsageError(f"unknown flag: --{name}")
                self._set(values, flag, self._value(flag, equals, value, rest, word))
            elif word.startswith("-") and len(word) > 1:
                self._shorts(values, word, rest)
            else:
                arguments.append(word)
        return values, arguments

    def _shorts(self, values: dict[str, Any], word: str, rest: list[str]) -> None:
        """`-qu5`: flags without a value, then perhaps one with its value."""
        letters = word[1:]
        while letters:
            flag = self._by_short.get(letters[0])
            if flag is None:
                raise UsageError(f"unknown shorthand flag: '{letters[0]}' in {word}")
            letters = letters[1:]
            if letters.startswith("="):
                self._set(values, flag, letters[1:])
                return
            if flag.bare is not None:
                self._set(values, flag, flag.bare)
                continue
            if not letters:
                if not rest:
                    raise UsageError(f"flag needs an argument: '{flag.short}' in {word}")
                letters = rest.pop(0)
            self._set(values, flag, letters)
            return

    @staticmethod
    def _value(flag: Flag, equals: str, value: str, rest: list[str], word: str) -> str:
        if equals:
            return value
        if flag.bare is not None:
            return flag.bare
        if not rest:
            raise UsageError(f"flag needs an argument: {word}")
        return rest.pop(0)

    @staticmethod
    def _set(values: dict[str, Any], flag: Flag, text: str) -> None:
        try:
            value = flag.parse(text)
        except ValueError as error:
            spelled = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
            raise UsageError(f'invalid argument "{text}" for "{spelled}" flag: {error}') from None
        if flag.repeats:
            values.setdefault(flag.name, []).append(value)
        else:
            values[flag.name] = value

    def help(self) -> str:
        """One aligned line a flag."""
        heads = []
        for flag in self.flags:
            short = f"-{flag.short}, " if flag.short else "    "
            word = f" {flag.word}" if flag.word and flag.bare is None else ""
            heads.append(f"  {short}--{flag.name}{word}")
        width = max(map(len, heads))
        return "\n".join(
            f"{head:{width}}   {flag.help}{f' (default {flag.default})' if flag.default else ''}"
            for head, flag in zip(heads, self.flags, strict=True)
        )


#: What is checked while the flags are read; the others have texts of their own, and come later.
_EARLY = (kinds.Bool, kinds.Int, kinds.Duration)


def flags_of(rows_class: type[Any] = Options) -> list[Flag]:
    """The flags of all options that have one, or of another class that is made of rows."""
    return [
        Flag(
            row.flag,
            row.help,
            short=row.short,
            word=row.word or row.kind.word,
            bare=row.bare,
            repeats=row.repeats,
            default=row.default,
            parse=row.kind.from_text if isinstance(row.kind, _EARLY) else str,
        )
        for _, row in rows(rows_class)
        if row.flag
    ]


def options_from_flags(values: dict[str, Any]) -> Options:
    """What the flags say of options. Raises UsageError."""
    found: dict[str, Any] = {}
    for one, row in rows():
        if not row.flag or row.flag not in values:
            continue
        given, read = values[row.flag], row.kind.from_text
        try:
            if isinstance(row.kind, _EARLY):
                found[one.name] = given
            elif isinstance(row.kind, kinds.TextMap):
                found[one.name] = {key: value for part in given for key, value in read(part).items()}
            else:
                found[one.name] = read(",".join(given) if row.repeats else given)
        except ValueError as error:
            raise UsageError(str(error)) from None
    return Options(**found)
