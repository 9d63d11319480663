"""Settings of outputs, from environment variables."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

from jsrunner.errors import UsageError
from jsrunner.options.duration import parse_duration
from jsrunner.options.kinds import Bool

if TYPE_CHECKING:
    from collections.abc import Mapping


class Variables:
    """The environment variables with a prefix, e.g. K6_INFLUXDB_. An empty variable is unset.

    All methods raise UsageError for a value of a wrong form. The name of a setting is that of its
    variable without the prefix.

    Args:
        environment: The environment.
        prefix: The prefix.
        overrides: Settings by name that win over variables: those in the output's argument.
    """

    def __init__(
        self, environment: Mapping[str, str], prefix: str, overrides: Mapping[str, str] | None = None
    ) -> None:
        self._environment = environment
        self._prefix = prefix
        self._overrides = overrides or {}

    def text(self, name: str, default: str = "") -> str:
        """Return a setting's text."""
        return self._overrides.get(name) or self._environment.get(self._prefix + name) or default

    def boolean(self, name: str, default: bool = False) -> bool:
        """Return a setting that is true or false, in Go's spellings."""
        text = self.text(name)
        try:
            return Bool().from_text(text) if text else default
        except ValueError:
            self.fail(name, "is neither true nor false")

    def integer(self, name: str, default: int) -> int:
        """Return a setting that is a positive integer."""
        text = self.text(name) or str(default)
        if not text.isdecimal() or int(text) < 1:
            self.fail(name, "is not a positive number")
        return int(text)

    def seconds(self, name: str, default: float) -> float:
        """Return a setting that is a positive duration, in seconds."""
        text = self.text(name)
        try:
            seconds = parse_duration(text) if text else default
        except ValueError as error:
            self.fail(name, f"is not a duration: {error}")
        if seconds <= 0:
            self.fail(name, "is not a positive duration")
        return seconds

    def words(self, name: str, default: str = "") -> list[str]:
        """Return a setting that is a list with commas."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def fail(self, name: str, reason: str) -> NoReturn:
        """Raise UsageError for a setting.

        Args:
            name: The setting.
            reason: The reason, which follows the setting's text, e.g. `is not a URL`.
        """
        shown = name.lower() if name in self._overrides else self._prefix + name
        raise UsageError(f"could not create the output: {shown}: '{self.text(name)}' {reason}")


def need(module: str, output: str, extra: str) -> None:
    """Check that an optional package is installed.

    Args:
        module: The module that the output imports.
        output: The output's name.
        extra: jsrunner's extra that installs the package.

    Raises:
        UsageError: The package is not installed.
    """
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # a parent package is not installed
        spec = None
    if spec is None:
        raise UsageError(
            f"could not create the '{output}' output: it needs the package {module}",
            hint=f"pip install 'jsrunner[{extra}]'",
        )
