"""Python half of the script's global scope: its files and modules."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jsrunner.engine.errors import HostError
from jsrunner.errors import ScriptError
from jsrunner.modules.base import HostModule, operation
from jsrunner.script import commonjs
from jsrunner.script.specifiers import is_builtin, unrecognized, url_path

if TYPE_CHECKING:
    from jsrunner.modules.context import ScriptContext


class Environment(HostModule):
    """The operations of the global scope: `open`, `require`, time zones."""

    specifier = "jsrunner:globals/environment"

    @property
    def _script(self) -> ScriptContext:
        return self.vu.process.script

    @operation
    def open(self, path: str, binary: bool, base: str | None, caller: str | None) -> object:
        """Return the content of a file beside the module `base`; invalid UTF-8 becomes U+FFFD."""
        if base is not None and not path.startswith(("/", "file://")):
            if (
                caller is not None
                and self.vu.id == 0
                and url_path(base).parent != url_path(caller).parent
            ):
                self.vu.log(
                    "warning",
                    f"open({path!r}) looks in the folder of '{base}', and not of '{caller}', where it "
                    "is written; import.meta.resolve() makes a path relative to its own file",
                )
            path = str(url_path(base).parent / path)
        data = self.vu.open_file(path.removeprefix("file://"))
        if binary:
            return data
        return data.decode("utf-8", "replace")

    @operation
    def zone(self, milliseconds: float) -> str:
        """Return the abbreviation of the time zone at a time since the epoch, "" if it has none."""
        try:
            return time.localtime(milliseconds / 1000).tm_zone
        except (OverflowError, OSError):
            return ""

    @operation
    def resolve(self, specifier: str, base: str) -> str:
        """Return the URL that a specifier means in the module `base` (import.meta.resolve).

        Raises:
            HostError: It means nothing; as in k6, a module of k6's has no URL.
        """
        if not specifier:
            raise HostError("require() can't be used with an empty specifier")
        try:
            if is_builtin(specifier):
                raise unrecognized(specifier)
            return self._script.resolve(base, specifier)
        except ScriptError as error:
            raise HostError(str(error)) from None

    @operation
    def find(self, specifier: str, caller: str | None) -> tuple[str, str]:
        """Return the kind and the URL of the module that require() returns."""
        try:
            url = self._script.resolve(caller or self._script.url, specifier)
            return self._script.kind(url, specifier), url
        except ScriptError as error:
            raise HostError(str(error)) from None

    @operation
    def wrapper(self, url: str) -> str:
        """Return the module that makes a CommonJS module known to `run`."""
        return commonjs.required(url)

    @operation
    def check(self) -> None:
        """Raise the reason for the import that has just failed, if Python knows it."""
        wrong, self.vu.interpreter.load_error = self.vu.interpreter.load_error, None
        if isinstance(wrong, ScriptError):
            raise HostError(str(wrong))

    @operation
    def syntax(self, text: str) -> str:
        """Return k6's text for a module that cannot be parsed."""
        return self.vu.process.script.syntax_error(text)
