"""Scripts whose text is in no file."""

from __future__ import annotations

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


def test_a_script_from_text_is_named_in_its_errors(tmp_path: Path) -> None:
    script = jsrunner.Script.from_text("throw new Error('oh');", name="mine.js", folder=tmp_path)
    with pytest.raises(jsrunner.ScriptError, match=r"oh\n.*/mine\.js:1:"):
        jsrunner.run(script)
    with pytest.raises(TypeError, match="the text of a script must be str, not bytes"):
        jsrunner.Script.from_text(b"")  # type: ignore[arg-type]
