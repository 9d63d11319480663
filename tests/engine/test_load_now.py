"""Modules that are loaded in the middle of running JavaScript."""

from __future__ import annotations

from jsrunner.engine.interpreter import Interpreter

SOURCES = {
    "jsrunner:late": "import 'jsrunner:deeper'; globalThis.late = 1;",
    "jsrunner:deeper": "globalThis.deeper = 2;",
    "jsrunner:bad": "throw new Error('no');",
}


def test_load_now() -> None:
    said: list[object] = []

    def load_now(specifier: str) -> str:
        failed = interpreter.load_now(f"import '{specifier}';", f"load/{specifier}")
        return failed[0] if failed else ""

    def load(specifier: str) -> None:
        assert load_now(specifier) == ""

    def refuse() -> None:
        assert load_now("jsrunner:bad") == "evaluation"
        assert load_now("jsrunner:missing") == "link"
        assert load_now("jsrunner:no syntax") == "link"

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
