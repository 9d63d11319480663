"""Python half of the script's global scope: its environment and its files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson

from jsrunner.engine.interpreter import HostError, Interrupted, JSError
from jsrunner.errors import ScriptError
from jsrunner.modules.base import HostModule, operation
from jsrunner.script import commonjs
from jsrunner.script.specifiers import url_path

if TYPE_CHECKING:
    from jsrunner.script.script import Script
    from jsrunner.worker.vu import VU


class Environment(HostModule):
    specifier = "jsrunner:globals/environment"

    def __init__(self, vu: VU) -> None:
        super().__init__(vu)
        self._required: set[str] = set()

    @property
    def _script(self) -> Script:
        return self.vu.process.script

    @operation
    def variables(self) -> dict[str, str]:
        return self.vu.process.environment

    @operation
    def frozen(self) -> bool:
        """Whether a script may not change its __ENV (k6's feature freeze-env)."""
        return self.vu.process.freeze_environment

    @operation
    def vu_number(self) -> int:
        return self.vu.id

    @operation
    def open(self, path: str, binary: bool, base: str | None, caller: str | None) -> object:
        """The content of a file, next to the module `base`; text is UTF-8, mended where it is not."""
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
            return self.vu.interpreter.put_buffer(data)
        return self.vu.interpreter.put_text(data.decode("utf-8", "replace").encode())

    @operation
    def zone(self, milliseconds: float) -> str:
        """Return the abbreviation of the time zone at a time since the epoch, "" if it has none."""
        try:
            return time.localtime(milliseconds / 1000).tm_zone
        except (OverflowError, OSError):
            return ""

    @operation
    def resolve(self, specifier: str, base: str) -> str:
        """import.meta.resolve: the URL that a specifier means in the module `base`."""
        if not specifier:
            raise HostError("require() can't be used with an empty specifier")
        try:
            return self._script.resolve(base, specifier)
        except ScriptError as error:
            raise HostError(str(error)) from None

    @operation
    def find(self, specifier: str, caller: str | None) -> tuple[str, str]:
        """The kind and the URL of the module that require() is to give."""
        try:
            url = self._script.resolve(caller or self._script.url, specifier)
            return self._script.kind(url, specifier), url
        except ScriptError as error:
            raise HostError(str(error)) from None

    @operation
    def load(self, specifier: str) -> None:
        """Load a module of ours, now that the script needs it."""
        if self._load(f"import '{specifier}';", f"jsrunner:load/{specifier}"):
            raise JSError(f"{specifier} could not be loaded")

    @operation
    def require(self, kind: str, url: str) -> tuple[str, int] | None:
        """Load a module now: `run` is to know it, or `entries.required` gets its namespace.

        Where that failed and a handle of the exception, see `Interpreter.load_now`.
        """
        if url in self._required:
            return None
        if kind == "commonjs":
            text = commonjs.required(url)
        else:
            link = orjson.dumps(url).decode()
            text = (
                f"import * as namespace from {link};\n"
                "import { entries } from 'jsrunner:host';\n"
                f"entries.required({link}, namespace);"
            )
        failed = self._load(text, f"jsrunner:require/{url}")
        wrong, self.vu.interpreter.load_error = self.vu.interpreter.load_error, None
        if isinstance(wrong, ScriptError):
            raise HostError(str(wrong))
        if failed is None:
            self._required.add(url)
        return failed

    @operation
    def syntax(self, text: str) -> str:
        """What k6 says of a module that cannot be parsed."""
        return self.vu.process.script.syntax_error(text)

    def _load(self, text: str, name: str) -> tuple[str, int] | None:
        interpreter = self.vu.interpreter
        if interpreter.native is not None:
            failed = interpreter.load_now(text, name)
            if self.vu.interrupted:
                raise Interrupted
            return failed
        try:
            interpreter.run_module(text, name)
        except JSError as error:
            if interpreter.load_error is None:
                message = str(error).split("\n")[0]
                kind, _, rest = message.partition(": ")
                if kind == "SyntaxError":
                    raise HostError(self.vu.process.script.syntax_error(str(error))) from None
                known = kind in ("GoError", "TypeError", "RangeError", "Error")
                raise HostError(*((rest, kind) if known else (message, "Error"))) from None
        return None
