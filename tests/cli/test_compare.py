"""`jsrunner compare` with records."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from report_lines import lines, written

from jsrunner.cli.main import main


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


@pytest.mark.parametrize("command", ["compare", "report"])
def test_records_that_are_not_whole(
    records: tuple[str, str], tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The readable part counts, and the log names the missing part."""
    killed = written(tmp_path / "killed.jsr", lines(seconds=20, end=False))
    half = tmp_path / "half.jsr"
    half.write_bytes(Path(records[1]).read_bytes()[:-200])
    wrong = lines()
    wrong[-3] = {**wrong[-3], "rows": [[0, "x"]]}
    damaged = written(tmp_path / "damaged.jsr", wrong)
    for path, text in (
        (killed, "has no end: its run goes on, or was killed after second 20"),
        (str(half), "has no end: its run goes on, or was killed after second "),
        (damaged, "is damaged: what comes after second 29 cannot be read"),
    ):
        words = [records[0], path] if command == "compare" else [path, "-o", f"{tmp_path}/r.html"]
        assert main([command, *words]) == 0
        assert f"the record {path} {text}" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["compare", "report"])
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "it is no record of jsrunner, or its run ended before it began"),
        (b"\x1f\x8b" + bytes(500), "it is no record of jsrunner"),
        (bytes(range(256)) * 9, "it is no record of jsrunner"),
        (gzip.compress(b"[]\n"), "it is no record of jsrunner"),
        (gzip.compress(b'{"format":"jsrunner-record","version":2,"jsrunner":"9"}\n'), "its format is version 2"),
        (gzip.compress(b'{"format":"jsrunner-record","version":1}\n'), "it ends before its run begins"),
        (gzip.compress(bytes(200 << 20)), "it is no record of jsrunner"),
    ],
    ids=["empty", "broken", "foreign", "list", "newer", "head only", "bomb"],
)  # fmt: skip
def test_files_that_are_refused(
    records: tuple[str, str],
    tmp_path: Path,
    command: str,
    data: bytes,
    text: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "other.jsr"
    path.write_bytes(data)
    words = [records[0], str(path)] if command == "compare" else [str(path), "-o", f"{tmp_path}/r.html"]
    assert main([command, *words]) == 255
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"could not read the record {path}: {text}" in captured.err


def test_summaries_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One summary a side says nothing of the noise; three do."""
    paths = [tmp_path / f"{number}.json" for number in range(6)]
    for path, value in zip(paths, (100, 101, 99, 120, 121, 119), strict=True):
        path.write_text(json.dumps({"metrics": {"my_time": {"avg": value, "p(95)": value}}}))
    assert main(["compare", str(paths[0]), str(paths[3])]) == 0
    assert "unknown" in capsys.readouterr().out
    base, new = (",".join(map(str, listed)) for listed in (paths[:3], paths[3:]))
    assert main(["compare", base, new, "--fail-if=p(95)>+10%"]) == 99
    (line,) = [line for line in capsys.readouterr().out.splitlines() if " p(95) " in line]
    assert line.split()[:6] == ["my_time", "p(95)", "100", "120", "+20.0", "%"]
    assert line.endswith("changed")


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
