"""Sources of files: local files, downloads, archives, and the error texts of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ExitCode, ScriptError
from jsrunner.script.sources import Disk, Sources, UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from running import Process


@pytest.fixture
def sources() -> Sources:
    return Sources(Disk(), lambda level, text: None)


def test_a_file_is_read_once(sources: Sources, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    assert sources.opened(path) == b"one"
    path.write_text("two")
    assert sources.read(path) == b"one"
    assert sources.files == {path: b"one"}


def test_texts_are_mended(sources: Sources, tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_bytes(b"\xef\xbb\xbf'\xff'")
    assert sources.module(path.as_uri(), "./a.js") == "'\ufffd'"


@pytest.mark.parametrize(
    ("name", "reason", "text"),
    [
        ("none", "missing", "stat {}: no such file or directory"),
        ("", "directory", 'open() can\'t be used with directories, path: "{}"'),
        ("file/below", "other", "stat {}: not a directory"),
    ],
)
def test_files_that_cannot_be_opened(
    sources: Sources, tmp_path: Path, name: str, reason: str, text: str
) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / name
    with pytest.raises(UnreadableFile) as caught:
        sources.opened(path)
    assert (str(caught.value), caught.value.reason) == (text.format(path), reason)


def test_a_main_script_that_cannot_be_read_has_another_exit_code(
    sources: Sources, tmp_path: Path
) -> None:
    for main, code in ((True, ExitCode.GENERIC), (False, ExitCode.SCRIPT_EXCEPTION)):
        with pytest.raises(ScriptError) as caught:
            sources.module((tmp_path / "none.js").as_uri(), "./none.js", main=main)
        assert caught.value.exit_code == code
        with pytest.raises(ScriptError, match="is a directory"):
            sources.module(tmp_path.as_uri(), "./folder", main=main)
        with pytest.raises(ScriptError, match="file name too long"):
            sources.module((tmp_path / ("x" * 300)).as_uri(), "./x", main=main)


def test_a_file_that_memory_does_not_hold(run: Callable[..., Process], tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(2 << 30)
    limited = ("sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh")
    done = run("open('./big'); export default function () {}", prefix=limited)
    assert done.code == 107
    (text,) = done.messages("error")
    assert text.startswith(f"GoError: open {tmp_path}/big: cannot allocate memory\n")
