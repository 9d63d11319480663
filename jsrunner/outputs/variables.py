"""Settings of outputs that come from the environment."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

from jsrunner.errors import UsageError
from jsrunner.options.duration import parse_duration
from jsrunner.options.kinds import Bool

if TYPE_CHECKING:
    from collections.abc import Mapping


class Variables:
    """Variables with a prefix, e.g. K6_INFLUXDB_. Empty ones count as unset.

    `overrides` are settings by the name without the prefix, which the output's argument has given.
    All methods raise UsageError for a value that is none.
    """

    def __init__(
        self, environment: Mapping[str, str], prefix: str, overrides: Mapping[str, str] | None = None
    ) -> None:
        self._environment = environment
        self._prefix = prefix
        self._overrides = overrides or {}

    def text(self, name: str, default: str = "") -> str:
        return self._overrides.get(name) or self._environment.get(self._prefix + name) or default

    def boolean(self, name: str, default: bool = False) -> bool:
        text = self.text(name)
        try:
            return Bool().from_text(text) if text else default
        except ValueError:
            self.fail(name, "is neither true nor false")

    def integer(self, name: str, default: int) -> int:
        """A positive one."""
        text = self.text(name) or str(default)
        if not text.isdecimal() or int(text) < 1:
            self.fail(name, "is not a positive number")
        return int(text)

    def seconds(self, name: str, default: float) -> float:
        """A positive duration."""
        text = self.text(name)
        try:
            seconds = parse_duration(text) if text else default
        except ValueError as error:
            self.fail(name, f"is not a duration: {error}")
        if seconds <= 0:
            self.fail(name, "is not a positive duration")
        return seconds

    def words(self, name: str, default: str = "") -> list[str]:
        """A list with commas."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def fail(self, name: str, why: str) -> NoReturn:
        where = name.lower() if name in self._overrides else self._prefix + name
        raise UsageError(f"could not create the output: {where}: '{self.text(name)}' {why}")


def need(module: str, output: str, extra: str) -> None:
    """Raises UsageError if an optional library is not installed."""
    try:
        found = find_spec(module)
    except ModuleNotFoundError:  # a package above it
        found = None
    if found is None:
        raise UsageError(
            f"could not create the '{output}' output: it needs the package {module}",
            hint=f"pip install 'jsrunner[{extra}]'",
        )
