"""The README's reference of options is the one that the rows make."""

from __future__ import annotations

from pathlib import Path

from jsrunner.cli.main import main
from jsrunner.cli.reference import BLOCK, tables
from jsrunner.options.model import Options, rows
from jsrunner.options.runtime import Globals, Runtime

README = Path(__file__).parents[2] / "README.md"


def test_readme_is_up_to_date() -> None:
    found = BLOCK.search(README.read_text(encoding="utf-8"))
    assert found is not None, "README.md has lost its lines <!-- options --> and <!-- /options -->"
    assert found[0] == tables(), "run `jsrunner reference README.md`"


def test_all_rows_are_told() -> None:
    lines = tables().splitlines()
    for of in (Options, Runtime, Globals):
        for _, row in rows(of):
            assert any(row.help.replace("|", "\\|") in line for line in lines), row
    columns = {line.replace("\\|", "").count("|") for line in lines if line.startswith("|")}
    assert columns == {5, 6}


def test_block_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("before\n<!-- options -->\nold\n<!-- /options -->\nafter\n")
    assert main(["reference", str(path)]) == 0
    assert path.read_text() == f"before\n<!-- options -->\n{tables()}<!-- /options -->\nafter\n"
    path.write_text("nothing")
    assert main(["reference", str(path)]) == 255
    assert path.read_text() == "nothing"
