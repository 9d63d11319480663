"""Sources for `k6/secrets`: `--secret-source=file=...`, `mock=...`, `url=...`.

https://grafana.com/docs/k6/latest/using-k6/secret-source/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from jsrunner.errors import ConfigError, UsageError
from jsrunner.options.numbers import quote
from jsrunner.secrets.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The name of the source that `secrets.get` of the module asks.
DEFAULT: Final = "default"


class SecretSource(Protocol):
    """The contract of a source of secrets. The coordinator makes it, workers ask it."""

    #: True if `get` may wait, so that it has to be called in another thread.
    waits: bool

    def get(self, key: str) -> str:
        """Return a secret.

        Raises:
            SecretError: There is no such secret, or the source cannot be reached.
        """
        ...

    def divide(self, workers: int) -> None:
        """Divide the limits of requests by the number of workers, which each ask this source."""
        ...


class Table:
    """A source whose secrets are known from the start: those of a file or of the command line."""

    waits = False

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)

    def get(self, key: str) -> str:
        """Return a secret.

        Raises:
            SecretError: There is no such secret.
        """
        try:
            return self._secrets[key]
        except KeyError:
            raise SecretError("no value") from None

    def divide(self, workers: int) -> None:
        """Do nothing: a table has no limits."""


class SecretSources:
    """The sources of a run by their names. The name `default` is that of one of them, if any."""

    def __init__(self, sources: Mapping[str, SecretSource]) -> None:
        self.sources = dict(sources)

    def find(self, name: str) -> SecretSource:
        """Return a source.

        Raises:
            SecretError: There is no source of that name. The text is k6's.
        """
        if not self.sources:
            raise SecretError("no secret sources are configured")
        if name not in self.sources:
            raise SecretError(f'no secret source with name "{name}" is configured')
        return self.sources[name]

    def divide(self, workers: int) -> None:
        """Divide the limits of all sources by the number of workers."""
        for source in {id(source): source for source in self.sources.values()}.values():
            source.divide(workers)


def parse_sources(specs: Sequence[str], environment: Mapping[str, str]) -> SecretSources:
    """Make the sources that `--secret-source` or K6_SECRET_SOURCE names.

    Args:
        specs: The sources: `type`, `type=argument` or `type=name=NAME,default,argument`. The name of a
            source is its type unless it has another one. A single source is the default.
        environment: The environment, which has settings of sources.

    Raises:
        JsrunnerError: A source is wrong. The text is k6's.
    """
    sources: dict[str, SecretSource] = {}
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
    return SecretSources(sources)


def _source(
    kind: str, arguments: Sequence[str], spec: str, environment: Mapping[str, str]
) -> SecretSource:
    """Make a source of a type."""
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


def _pair(text: str, hint: str) -> tuple[str, str]:
    """Parse `key=value`."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"parsing {quote(text)}, needs =", hint=hint)
    return key, value


def _read(arguments: Sequence[str]) -> dict[str, str]:
    """Return the secrets of a file. Each of its lines has to be `key=value`, as in k6."""
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
