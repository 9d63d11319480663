"""Modules that are loaded in the middle of running JavaScript."""

from __future__ import annotations

import pytest

from jsrunner.engine.interpreter import Interpreter, JSError

SOURCES = {
    "jsrunner:late": "import 'jsrunner:deeper'; globalThis.late = 1;",
    "jsrunner:deeper": "globalThis.deeper = 2;",
    "jsrunner:bad": "throw new Error('no');",
}


def test_load_now() -> None:
    said: list[object] = []

    def load(specifier: str) -> None:
        interpreter.load_now(specifier)

    def refuse() -> list[str]:
        failed = []
        for specifier in ("jsrunner:bad", "jsrunner:missing", "jsrunner:no syntax"):
            with pytest.raises(JSError, match=specifier):
                interpreter.load_now(specifier)
            failed.append(specifier)
        return failed

    interpreter = Interpreter(
        {b"load": load, b"say": said.append, b"refuse": refuse},
        load=SOURCES.__getitem__,
        normalize=lambda base, name: name,
    )
    interpreter.run_module(
        """
        import { host } from 'jsrunner:host';
        Promise.resolve().then(() => host('say', 'job'));
        host('load', 'jsrunner:late');
        host('say', [globalThis.late, globalThis.deeper]);
        host('load', 'jsrunner:late');
        host('refuse');
        host('say', 'goes on');
        """,
        "jsrunner:main",
    )
    assert said == [[1, 2], "goes on", "job"]
