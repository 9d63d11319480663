"""Where `k6/secrets` has its secrets from: `--secret-source=file=...`, `mock=...`, `url=...`.

https://grafana.com/docs/k6/latest/using-k6/secret-source/
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

from jsrunner.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The name under which `secrets.get` finds its source.
DEFAULT: Final = "default"


class SecretError(Exception):
    """A secret cannot be had; scripts see the text."""


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
        name, is_default, arguments = kind, False, []
        for part in rest.split(",") if rest else ():
            if part == DEFAULT:
                is_default = True
            elif part.startswith("name="):
                name = part.removeprefix("name=")
            else:
                arguments.append(part)
        source = _source(kind, arguments, spec, environment)
        if name in sources:
            raise UsageError(
                f'secret source for name "{name}" already registered before configuration "{spec}"'
            )
        sources[name] = source
        if is_default:
            if DEFAULT in sources:
                raise UsageError(f'there is a default secret source before configuration "{spec}"')
            sources[DEFAULT] = source
    if len(sources) == 1:
        sources[DEFAULT] = next(iter(sources.values()))
    return Secrets(sources)


def _source(kind: str, arguments: Sequence[str], spec: str, environment: Mapping[str, str]) -> Source:
    if kind == "file":
        return Table(_read(arguments, spec))
    if kind == "mock":
        return Table(dict(_pair(part, spec) for part in arguments))
    if kind == "url":
        from jsrunner.secrets.url import UrlSource, parse_settings

        return UrlSource(parse_settings(arguments, environment))
    if kind == "cloud":
        raise ConfigError("the secret source 'cloud' needs Grafana Cloud, which jsrunner does not use")
    raise UsageError(
        f'no secret source of type "{kind}" for configuration "{spec}", there are: file, mock, url'
    )


def _pair(text: str, where: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f'parsing "{text}" of the secret source "{where}", needs =')
    return key, value


def _read(arguments: Sequence[str], spec: str) -> dict[str, str]:
    """A file with a `key=value` a line."""
    path = ",".join(arguments).removeprefix("filename=")
    if not path:
        raise UsageError(f'the secret source "{spec}" names no file')
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"open {os.path.abspath(path)}: {reason.lower()}") from None
    secrets = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            key, value = _pair(line, f"{path}, line {number}")
            secrets[key] = value
    return secrets
