"""The only door to dukpy: its C module, without the Python package around it.

`import dukpy` costs some 50 ms (it pulls in urllib, tarfile and logging), the C module alone 10 ms;
and `dukpy.JSInterpreter` puts `process`, `require` and `console` of its own before every script.
So the C module is imported below an empty stand-in for the package. What is used of it here are
dukpy's internals, hence the pin of its minor version in pyproject.toml; tests/engine/test_quickjs.py
says what has changed when they move.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from typing import Any


def _load() -> Any:
    if "dukpy._dukpy" in sys.modules:
        return sys.modules["dukpy._dukpy"]
    spec = importlib.util.find_spec("dukpy")  # finds the package without running it
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("jsrunner needs the package dukpy")
    if "dukpy" in sys.modules:
        return importlib.import_module("dukpy._dukpy")
    package = types.ModuleType("dukpy")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["dukpy"] = package
    try:
        return importlib.import_module("dukpy._dukpy")
    finally:
        # Whoever wants dukpy itself in this process shall get the real package.
        del sys.modules["dukpy"]


_dukpy = _load()

#: Path of the shared library, whose QuickJS symbols `native` calls.
LIBRARY: str = _dukpy.__file__

#: `create_context() -> capsule`: a QuickJS runtime with one context (0.2 ms, 90 KB).
create_context = _dukpy.create_context

#: `eval_string(interpreter, source: bytes, variables: bytes, as_module: bool, name: str)`. It runs a
#: full garbage collection before and after (1 ms with 20,000 live objects): never call it per message.
eval_string = _dukpy.eval_string

#: What `eval_string` raises for a JavaScript exception: its text is the value's, then the stack.
JSRuntimeError: type[Exception] = _dukpy.JSRuntimeError
