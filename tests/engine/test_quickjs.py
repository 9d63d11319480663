"""What is used of dukpy's insides. If one of these fails, dukpy has moved: each test says what."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from jsrunner.engine import quickjs
from jsrunner.engine.native import _library


class Bare:
    """The least that dukpy's C module asks of an interpreter."""

    _check_exported_function_exists = bool

    def __init__(self) -> None:
        self._ctx = quickjs.create_context()
        self.calls: list[tuple[bytes, bytes]] = []
        self.loader = self

    def _call_python(self, name: bytes, arguments: bytes) -> bytes | None:
        self.calls.append((name, arguments))
        return None if name == b"nothing" else b'{"a": [1]}'

    def load(self, name: str) -> tuple[str, str, str]:
        return name, "export const loaded = import.meta.url;", "module"

    def _normalize_module(self, base: str, name: str) -> str:
        return f"{base}>{name}"

    def evaluate(self, source: str, variables: str = "{}", module: str | None = None) -> Any:
        return quickjs.eval_string(
            self, source.encode(), variables.encode(), module is not None, module or ""
        )


@pytest.fixture
def bare() -> Bare:
    return Bare()


def test_eval_string_returns_json(bare: Bare) -> None:
    assert bare.evaluate("({ a: [1, 'ü'] })") == '{"a":[1,"ü"]}'.encode()
    assert bare.evaluate("undefined") is None


def test_variables_are_published_as_dukpy(bare: Bare) -> None:
    assert bare.evaluate("dukpy.x + 1", '{"x": 41}') == b"42"


def test_call_python_takes_a_name_and_json(bare: Bare) -> None:
    assert bare.evaluate("call_python('op', 1, 'ü', [null])") == b'{"a":[1]}'
    assert bare.calls == [(b"op", '[1,"ü",[null]]'.encode())]
    assert bare.evaluate("String(call_python('nothing'))") == b'"undefined"'


def test_errors_of_python_have_the_expected_text(bare: Bare) -> None:
    def fail(name: bytes, arguments: bytes) -> bytes:
        raise ValueError("inside")

    bare._call_python = fail  # type: ignore[method-assign]
    text = bare.evaluate(
        "try { call_python('op') } catch (e) { e.constructor.name + ': ' + e.message }"
    )
    assert text.startswith(b'"InternalError: Error while calling Python Function (op): ')


def test_errors_have_text_and_stack(bare: Bare) -> None:
    with pytest.raises(quickjs.JSRuntimeError) as caught:
        bare.evaluate("function f() { throw new TypeError('no') } f()")
    first, *frames = str(caught.value).splitlines()
    assert first == "TypeError: no"
    assert "f (<dukpy>" in frames[0]


def test_modules_come_from_the_loader(bare: Bare) -> None:
    bare.evaluate("import { loaded } from 'x'; call_python('seen', loaded);", module="main")
    assert bare.calls[0][1] == b'["main>x"]'


def test_jobs_run_before_eval_returns(bare: Bare) -> None:
    bare.evaluate("Promise.resolve().then(() => call_python('job')); 0")
    assert bare.calls[0][0] == b"job"


def test_the_library_exports_what_native_calls() -> None:
    assert _library() is not None


def test_dukpy_itself_stays_unloaded() -> None:
    """And whoever wants it in the same process gets the real package."""
    program = (
        "import sys; from jsrunner.engine import quickjs; assert 'dukpy' not in sys.modules; "
        "import dukpy; print(dukpy.evaljs('1 + 1'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
