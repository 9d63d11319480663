"""Python half of the script's global scope: its environment and its files."""

from __future__ import annotations

import orjson

from jsrunner.engine.interpreter import Interrupted, JSError
from jsrunner.modules.base import HostModule, operation
from jsrunner.script.script import url_path


class Environment(HostModule):
    specifier = "jsrunner:globals/environment"
    _count = 0

    @operation
    def variables(self) -> dict[str, str]:
        return self.vu.process.environment

    @operation
    def vu_number(self) -> int:
        return self.vu.id

    @operation
    def open(self, path: str, binary: bool, caller: str | None) -> object:
        """The content of a file, next to the calling module; text is UTF-8, mended where it is not."""
        if caller is not None and not path.startswith("/"):
            path = str(url_path(caller).parent / path)
        data = self.vu.open_file(path.removeprefix("file://"))
        if binary:
            return self.vu.interpreter.put_buffer(data)
        return self.vu.interpreter.put_text(data.decode("utf-8", "replace").encode())

    @operation
    def load(self, name: str) -> None:
        """Load a module of globals that the script touches for the first time."""
        try:
            self.vu.interpreter.load_now(f"jsrunner:globals/{name}")
        except JSError:
            if self.vu.interrupted:
                raise Interrupted from None
            raise

    @operation
    def require(self, specifier: str, caller: str | None) -> None:
        """Load a module now: `entries.required` gets its namespace."""
        interpreter = self.vu.interpreter
        resolved = self.vu.process.script.normalize(caller or self.vu.process.script.url, specifier)
        self._count += 1
        name, target = (orjson.dumps(text).decode() for text in (specifier, resolved))
        interpreter.run_module(
            f"import * as namespace from {target};\n"
            "import { entries } from 'jsrunner:host';\n"
            f"entries.required({name}, namespace);",
            f"jsrunner:require/{self._count}",
        )
