"""CommonJS modules as texts for the engine."""

from __future__ import annotations

import pytest

from jsrunner.script import commonjs


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("module.exports = 1;", False),
        ("x.import(); const imports = 1; $export; obj.await", False),
        ("import 'm';", True),
        ("'export'", True),
        ("await 1;", True),
    ],
)
def test_only_texts_with_such_words_need_a_look(text: str, asked: bool) -> None:
    questions: list[str] = []

    def is_function_body(body: str) -> bool:
        questions.append(body)
        return False

    assert commonjs.is_commonjs(text, is_function_body) == (not asked)
    assert questions == ([text] if asked else [])


def test_a_definition_keeps_lines_and_drops_a_hash_bang() -> None:
    text = commonjs.definition("#!/usr/bin/k6\na();\n// end")
    assert text.split("\n")[1:] == ["a();", "// end", "}];"]
    assert text.startswith("export default [function (module, exports) {///usr/bin/k6\n")


def test_facades() -> None:
    name = commonjs.facade_of("file:///a b.js", ["x", "default", commonjs.NAMESPACE])
    text = commonjs.facade(name)
    assert text is not None
    assert 'import body from "file:///a b.js";' in text
    assert 'member(exports, "x")' in text
    assert 'export { name1 as "default" };' in text
    assert "const name2 = namespace(exports);" in text
    assert commonjs.facade("file:///a.js") is None
