"""Scripts whose text is in no file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import jsrunner

if TYPE_CHECKING:
    from pathlib import Path


def test_scripts_from_text_import_from_their_folder(tmp_path: Path) -> None:
    (tmp_path / "lib.js").write_text("export const text = 'imported';")
    (tmp_path / "data.txt").write_text("opened")
    script = jsrunner.Script.from_text(
        "import { text } from './lib.js';\nconst data: string = open('data.txt');\n"
        "export default () => console.log(text, data);",
        name="inline.ts",
        folder=tmp_path,
    )
    (record,) = jsrunner.run(script).log
    assert record.text == "imported opened"


def test_a_script_whose_name_is_no_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.js"
    with open(path, "w") as file:
        file.write("export default () => console.log('runs');\nexport const options = { vus: NaN };")
    with pytest.raises(jsrunner.JsrunnerError, match="caf\ufffd\\.js"):
        jsrunner.run(path)
    with open(path, "w") as file:
        file.write("export default () => console.log('runs');")
    assert jsrunner.run(os.fsdecode(path)).log[0].text == "runs"


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    script = jsrunner.Script.from_text("export default () => console.log('\ud800', __ENV.A);")
    tags = {"tags": {"a": "\udfff"}}
    result = jsrunner.run(script, env={"A": "\ud800"}, options=tags, samples=True)
    assert result.log[0].text == "\ufffd \ufffd"
    assert result.samples is not None
    assert set(result.samples["a"]) == {"\ufffd"}


def test_a_script_from_text_is_named_in_its_errors(tmp_path: Path) -> None:
    script = jsrunner.Script.from_text("throw new Error('oh');", name="mine.js", folder=tmp_path)
    with pytest.raises(jsrunner.ScriptError, match=r"oh\n.*/mine\.js:1:"):
        jsrunner.run(script)
    with pytest.raises(TypeError, match="the text of a script must be str, not bytes"):
        jsrunner.Script.from_text(b"")  # type: ignore[arg-type]
