"""Where `k6/secrets` has its secrets from: `--secret-source=file=...`, `mock=...`, `url=...`.

https://grafana.com/docs/k6/latest/using-k6/secret-source/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from jsrunner.errors import ConfigError, UsageError
from jsrunner.options.numbers import quote
from jsrunner.secrets.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The name under which `secrets.get` finds its source.
DEFAULT: Final = "default"


class Source(Protocol):
    """A source of secrets by key."""

    #: Whether `get` waits for something, so that it is to be called in a thread.
    waits: bool

    def get(self, key: str) -> str:
        """Raises SecretError."""
        ...

    def divide(self, workers: int) -> None:
        """So many processes ask this source from now on: each keeps to its part of the limits."""
        ...


class Table:
    """Secrets that are known from the start: of a file or of the command line."""

    waits = False

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)

    def get(self, key: str) -> str:
        try:
            return self._secrets[key]
        except KeyError:
            raise SecretError("no value") from None

    def divide(self, workers: int) -> None:
        pass


class Secrets:
    """The sources of a run by their names; one of them may be the default."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = dict(sources)

    def find(self, name: str) -> Source:
        """Raises SecretError."""
        if not self.sources:
            raise SecretError("no secret sources are configured")
        if name not in self.sources:
            raise SecretError(f'no secret source with name "{name}" is configured')
        return self.sources[name]

    def divide(self, workers: int) -> None:
        for source in {id(one): one for one in self.sources.values()}.values():
            source.divide(workers)


def parse_sources(specs: Sequence[str], environment: Mapping[str, str]) -> Secrets:
    """What the flags (or K6_SECRET_SOURCE) say. Raises JsrunnerError.

    A source is `type`, `type=argument` or `type=name=NAME,default,argument`: without a name it is
    called by its type. A single one is the default.
    """
    sources: dict[str, Source] = {}
    for spec in specs:
        kind, _, rest = spec.partition("=")
        if not spec.strip():
            raise UsageError(f"couldn't parse secret source configuration {quote(spec)}")
        name, is_default, arguments = kind, False, []
        for part in rest.split(","):
            if part == DEFAULT:
                is_default = True
            elif part.startswith("name="):
                name = part.removeprefix("name=") or kind
            else:
                arguments.append(part)
        source = _source(kind, arguments, spec, environment)
        if name in sources:
            raise UsageError(
                f"secret source for name {quote(kind)} already registered before configuration "
                f"{quote(spec)}"
            )
        sources[name] = source
        if is_default:
            if DEFAULT in sources:
                raise UsageError(
                    "can't have two secret sources that are default ones, second one was "
                    f"{quote(','.join(arguments))}"
                )
            sources[DEFAULT] = source
    if len(sources) == 1:
        sources[DEFAULT] = next(iter(sources.values()))
    return Secrets(sources)


def _source(kind: str, arguments: Sequence[str], spec: str, environment: Mapping[str, str]) -> Source:
    if kind == "file":
        return Table(_read(arguments))
    if kind == "mock":
        return Table(dict(_pair(part, spec) for part in arguments or [""]))
    if kind == "url":
        from jsrunner.secrets.url import UrlSource, parse_settings

        return UrlSource(parse_settings([] if arguments == [""] else arguments, environment))
    if kind == "cloud":
        raise ConfigError("the secret source 'cloud' needs Grafana Cloud, which jsrunner does not use")
    raise UsageError(
        f"no secret source for type {quote(kind)} for configuration {quote(spec)}",
        hint="there are file, mock and url",
    )


def _pair(text: str, where: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"parsing {quote(text)}, needs =", hint=where)
    return key, value


def _read(arguments: Sequence[str]) -> dict[str, str]:
    """The secrets of a file with `key=value` in each line, empty lines not excepted (as k6)."""
    path = ""
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if equals and key != "filename":
            raise UsageError(f"unknown configuration key for file secret source {quote(key)}")
        path = value if equals else argument
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            lines = file.read().removesuffix("\n").split("\n")
    except OSError as error:
        raise UsageError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
    if lines == [""]:
        return {}
    numbered = enumerate(lines, 1)
    return dict(_pair(line.removesuffix("\r"), f"{path}, line {number}") for number, line in numbered)
