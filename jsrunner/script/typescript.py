"""Translation of TypeScript to JavaScript by the compiler in dukpy, in a process of its own.

The compiler takes a second to start and about 250 MB. It is started for the first file that is not in
the cache, and ends when all modules are loaded. Types are removed and not checked, as in k6. Positions
in stacks are those of the TypeScript, because host.js reads the mappings.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from jsrunner.core.binding import engine_path
from jsrunner.engine.engine import Engine
from jsrunner.engine.interpreter import Interpreter
from jsrunner.errors import ScriptError
from jsrunner.script import cache

_CACHE = "typescript"
_COMPILER = "jsrunner:typescript"


class Translation(Struct, frozen=True):
    """The JavaScript of a TypeScript file."""

    code: str
    #: The `mappings` of a source map (https://tc39.es/ecma426/).
    mappings: str


class Translator:
    """The client of the compiler's process, which it starts when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def translate(self, text: str, url: str) -> Translation:
        """Translate a file.

        Args:
            text: The TypeScript.
            url: The file's URL, for error texts.

        Raises:
            ScriptError: The text is no TypeScript, or the compiler has failed.
        """
        key = f"{_translator()} {hashlib.sha256(text.encode()).hexdigest()}"
        known = cache.load(_CACHE, key)
        if known is not None:
            return Translation(**json.loads(known))
        answer = self._ask({"text": text, "name": url})
        if "error" in answer:
            raise ScriptError(f"{url}: Line {answer['line']}:{answer['column']} {answer['error']}")
        translation = Translation(**answer)
        cache.store(_CACHE, key, json.dumps(asdict(translation)).encode())
        return translation

    def close(self) -> None:
        """End the compiler's process, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.communicate()

    def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        if self._process is None:
            root = str(Path(__file__).parent.parent.parent)
            path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jsrunner.script.typescript"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path},
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(request).encode() + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            self.close()
            raise ScriptError(f"{request['name']}: the TypeScript compiler has failed")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _version() -> str:
    """Return the version of the compiler and the engine, for the cache of the bytecode."""
    return f"dukpy {version('dukpy')} {os.stat(engine_path()).st_size}"


@functools.cache
def _translator() -> str:
    """Return the version of the translation, for the cache of translations."""
    own = hashlib.sha256(Path(__file__).with_suffix(".js").read_bytes()).hexdigest()
    return f"{_version()} {own[:16]}"


def serve() -> None:
    """Run the compiler's process: read requests and write answers as lines of JSON."""
    interpreter = _compiler()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answer = interpreter.call("translate", request["text"], request["name"])
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def _compiler() -> Interpreter:
    """Return an interpreter with the compiler. Its cached bytecode loads in a tenth of the time."""
    engine = Engine(stack_bytes=32 << 20, memory_bytes=2 << 30)
    bytecode = cache.load(_CACHE, _version())
    if bytecode is None:
        engine.compile(_COMPILER, _compiler_source(), is_script=False)
        cache.store(_CACHE, _version(), engine.bytecode(_COMPILER))
    else:
        engine.use_bytecode(_COMPILER, bytecode)
    interpreter = Interpreter(
        engine,
        find_operation=_no_operation,
        load=lambda specifier: _compiler_source(),
        normalize=lambda base, specifier: specifier,
    )
    source = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    interpreter.evaluate(source, "jsrunner:translate")
    return interpreter


def _no_operation(name: str) -> Any:
    raise LookupError(name)


def _compiler_source() -> str:
    import dukpy

    path = Path(dukpy.__file__).parent / "jsmodules" / "typescriptServices.js"
    return path.read_text(encoding="utf-8") + "\nexport default ts;\n"


if __name__ == "__main__":
    serve()
