"""Parser of command-line flags, with the syntax of k6's: POSIX flags in GNU style.

A flag is written `--flag value`, `--flag=value`, `-u5` or `-u 5`. Flags may stand anywhere between the
arguments; after `--` there are only arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jsrunner.errors import UsageError
from jsrunner.options import kinds
from jsrunner.options.model import Options, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Flag(Struct, frozen=True):
    """A flag of a command."""

    #: The long name, without dashes.
    name: str
    #: The flag's meaning, for the help.
    help: str
    #: The letter of the short form; "" if the flag has none.
    short: str = ""
    #: The placeholder of the flag's value in the help.
    word: str = ""
    #: The value of the flag without a value; None if the flag needs a value.
    bare: str | None = None
    #: True if several uses of the flag make a list.
    repeats: bool = False
    #: The default, as the help shows it.
    default: str = ""
    #: Converts the value's text. Raises ValueError for a wrong text.
    parse: Callable[[str], Any] = str


class FlagSet:
    """The flags of a command."""

    def __init__(self, flags: Iterable[Flag]) -> None:
        self.flags = list(flags)
        self._by_name = {flag.name: flag for flag in self.flags}
        self._by_short = {flag.short: flag for flag in self.flags if flag.short}

    def parse(self, words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """Parse a command line.

        Args:
            words: The words behind the command's name.

        Returns:
            The values by the flags' names (a list for a flag that repeats), and the arguments.

        Raises:
            UsageError: A flag is unknown, or its value is missing or wrong.
        """
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
                self._parse_shorts(values, word, rest)
            else:
                arguments.append(word)
        return values, arguments

    def _parse_shorts(self, values: dict[str, Any], word: str, rest: list[str]) -> None:
        """Parse a word of short flags such as `-qu5`, of which the last may have a value."""
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
        """Return the value of a long flag; take it from `rest` if it is a word of its own."""
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
        """Return the help text: one line per flag, in aligned columns."""
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


#: Kinds whose values k6 checks while it parses the flags. Errors of the other kinds come later, without
#: the flag's name.
_EARLY = (kinds.Bool, kinds.Int, kinds.Duration)


def flags_of(rows_class: type[Any] = Options) -> list[Flag]:
    """Return the flags of a class whose fields have rows (see `model.OptionRow`)."""
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
    """Read the options that flags set.

    Args:
        values: The flags' values, as `FlagSet.parse` returns them.

    Raises:
        UsageError: A value is wrong.
    """
    options: dict[str, Any] = {}
    for name, row in rows():
        if not row.flag or row.flag not in values:
            continue
        value, kind = values[row.flag], row.kind
        try:
            if isinstance(kind, _EARLY):
                options[name] = value
            elif isinstance(kind, kinds.TextMap):
                options[name] = dict(pair for text in value for pair in kind.from_text(text).items())
            else:
                options[name] = kind.from_text(",".join(value) if row.repeats else value)
        except ValueError as error:
            raise UsageError(str(error)) from None
    return Options(**options)
