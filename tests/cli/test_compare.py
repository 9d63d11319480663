"""`jsrunner compare` with records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from report_lines import lines, written

from jsrunner.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def records(tmp_path: Path) -> tuple[str, str]:
    """Records of a run and of one whose times are twice as long."""
    slower = lines()
    for line in slower:
        for row in line.get("rows", ()):
            if isinstance(row[-1], list):
                row[2] *= 2
                row[-1][0] += 0x80
    return written(tmp_path / "base.jsr", lines()), written(tmp_path / "new.jsr", slower)


def test_a_comparison(records: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *records]) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.startswith("my_time ") and " avg " in line]
    assert "+100.0 %" in line
    assert line.endswith("changed")


def test_a_change_that_is_forbidden(
    records: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *records, "--fail-if=p(95)>+10%", "--format=markdown"]) == 99
    captured = capsys.readouterr()
    assert captured.out.startswith("| metric |")
    assert "my_time p(95) has changed by +100.0 %, which --fail-if p(95)>+10% forbids" in captured.err
    assert main(["compare", records[0], records[0], "--fail-if=p(95)>+10%"]) == 0


def test_runs_that_count_together(records: tuple[str, str]) -> None:
    base, new = (",".join([path] * 3) for path in records)
    assert main(["compare", base, new, "--fail-if=my_time:avg>50%"]) == 99


def test_a_report_with_both(records: tuple[str, str], tmp_path: Path) -> None:
    assert main(["compare", *records, f"--output={tmp_path}/both.html"]) == 0
    assert 'id="baseline"' in (tmp_path / "both.html").read_text()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--fail-if=foo"], "invalid condition"), (["--format=xml"], "invalid format"), (["third"], "accepts 2 arg"),
        (["--fail-if=nothing:p(95)>1%"], "no metric of both runs has this statistic"),
    ],
)  # fmt: skip
def test_wrong_words(
    records: tuple[str, str], words: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *records, *words]) == 255
    assert text in capsys.readouterr().err
