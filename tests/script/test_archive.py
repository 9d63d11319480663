"""Archives, written by jsrunner or as k6 writes them; they run without the original files."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from running import ROOT, Process
from waiting import DEADLINE

from jsrunner.script import archive
from jsrunner.script.archive import ArchiveError, anonymous

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Project

SCRIPT = """import { x } from './lib/a.js'; const c = require('./lib/c.js'); const text = open('./data.txt');
export const options = { vus: 1, iterations: 2, thresholds: { iterations: ['count==2'] } };
export default function () { console.log(x, c.y, text, __ENV.WHO); }"""
FILES = {
    "main.js": SCRIPT,
    "lib/a.js": "export const x = 1;",
    "lib/c.js": "exports.y = 2;",
    "data.txt": "data",
}


def pack(project: Project, *words: str, stdin: str | None = None) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "jsrunner", "archive", *words],
        cwd=project.folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(project.folder)},
        input=None if stdin is None else stdin.encode(),
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def play(folder: Path, *flags: str) -> Process:
    folder.mkdir(exist_ok=True)
    return Process(folder, folder / "test.tar", flags, {}, (), None).end()


def test_an_archive_holds_all_that_the_script_uses(project: Project, tmp_path: Path) -> None:
    project.write({**FILES, "unused.js": ""})
    pack(project, "-O", "test.tar", "-e", "WHO=me", "--tag", "a=b", "main.js")
    away = tmp_path / "away"
    away.mkdir()
    (project.folder / "test.tar").rename(away / "test.tar")
    for name in FILES:
        (project.folder / name).unlink()
    with tarfile.open(away / "test.tar") as tar:
        names = tar.getnames()
        metadata = json.load(tar.extractfile("metadata.json") or io.BytesIO())
    assert [name.removeprefix(f"file{project.folder}/") for name in names if "." in name.split("/")[-1]] == [
        "metadata.json", "data.txt", "lib/a.js", "lib/c.js", "main.js",
    ]  # fmt: skip
    assert metadata["type"] == "js"
    assert metadata["env"] == {"WHO": "me"}
    assert (metadata["options"]["iterations"], metadata["options"]["tags"]) == (2, {"a": "b"})
    run = play(away)
    assert run.messages("info") == ["1 2 data me"] * 2
    assert run.code == 0
    run = play(away, "-e", "WHO=you", "-i", "1")
    assert run.messages("info") == ["1 2 data you"]
    assert run.code == 99


def test_a_script_from_standard_input(project: Project, tmp_path: Path) -> None:
    project.write(FILES)
    away = tmp_path / "away"
    away.mkdir()
    (away / "test.tar").write_bytes(pack(project, "-O", "-", "--exclude-env-vars", "-", stdin=SCRIPT))
    (project.folder / "data.txt").write_text("changed")
    assert play(away).messages("info") == ["1 2 data undefined"] * 2


def test_an_archive_as_k6_writes_it(tmp_path: Path) -> None:
    metadata = {
        "type": "js", "options": {"vus": 1, "iterations": 1, "paused": None},
        "filename": "file:///home/nobody/main.js", "pwd": "file:///home/nobody/",
        "env": {"WHO": "k6"}, "compatibilityMode": "extended", "k6version": "2.2.0", "goos": "linux",
    }  # fmt: skip
    script = b"""import { x } from './lib.js'; import { y } from 'https://x.test/y.js?v=1';
    export default function () { console.log(x, y, __ENV.WHO); }"""
    members: list[tuple[str, bytes | None]] = [
        ("metadata.json", json.dumps(metadata).encode()),
        ("data", script),
        ("file", None),
        ("file/home/nobody/lib.js", b"export const x = open('/home/someone/z.txt');"),
        ("file/home/nobody/z.txt", b"text"),
        ("https/x.test/y.js?v=1", b"export { y } from './deep/y.js';"),
        ("https/x.test/deep/y.js", b"export const y = 'page';"),
    ]
    with tarfile.open(tmp_path / "test.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            member.size = len(content or b"")
            tar.addfile(member, io.BytesIO(content or b""))
        link = tarfile.TarInfo("file/home/nobody/main.js")
        link.type, link.linkname = tarfile.LNKTYPE, "data"
        tar.addfile(link)
    assert play(tmp_path).messages("info") == ["text page k6"]


def test_what_is_not_in_the_archive_is_not_there(tmp_path: Path, project: Project) -> None:
    project.write(
        {"main.js": "open(__ENV.FILE); export default function () {}", "a.txt": "", "b.txt": ""}
    )
    pack(project, "-O", str(tmp_path / "test.tar"), "-e", f"FILE={project.folder}/a.txt", "main.js")
    assert play(tmp_path, "-i", "1").code == 0
    run = play(tmp_path, "-i", "1", "-e", f"FILE={project.folder}/b.txt")
    assert run.code == 107
    assert run.said(f"stat {project.folder}/b.txt: no such file or directory")
    assert play(tmp_path, "-i", "1", "-e", f"FILE={project.folder}").said(
        "can't be used with directories"
    )


GOOD = {"type": "js", "filename": "file:///a/s.js", "pwd": "file:///a/"}


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        (None, "it has no metadata.json"),
        ("", "metadata.json: Input data was truncated"),
        ("{nope", "metadata.json: JSON is malformed"),
        ("[]", "metadata.json: Expected `object`, got `array`"),
        ("null", "metadata.json: Expected `object`, got `null`"),
        ('{"options": ' + "[" * 100_000, "metadata.json: "),
        ({**GOOD, "type": "har"}, "metadata.json: the type is 'har', not 'js'"),
        ({**GOOD, "type": 5}, "metadata.json: Expected `str`, got `int` - at `$.type`"),
        ({"type": "js"}, "metadata.json: Object missing required field `filename`"),
        ({**GOOD, "filename": None}, "metadata.json: Expected `str`, got `null` - at `$.filename`"),
        ({**GOOD, "filename": "s.js"}, "metadata.json: 's.js' is no URL of a file"),
        ({**GOOD, "pwd": "http://a/"}, "metadata.json: 'http://a/' is no URL of a file"),
        (
            {**GOOD, "options": [1]},
            "metadata.json: Expected `object | null`, got `array` - at `$.options`",
        ),
        ({**GOOD, "env": {"A": 5}}, "metadata.json: Expected `str`, got `int` - at `$.env[...]`"),
        (GOOD, "it has no data"),
    ],
)
def test_what_is_no_archive(tmp_path: Path, metadata: Any, why: str) -> None:
    path = tmp_path / "x.tar"
    text = metadata if isinstance(metadata, str) else json.dumps(metadata)
    with tarfile.open(path, "w") as tar:
        members = {"other": "x"} if metadata is None else {"other": "x", "metadata.json": text}
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    assert archive.is_archive(str(path))
    with pytest.raises(ArchiveError) as caught:
        archive.read(str(path))
    assert str(caught.value).startswith(f"{path} is no archive of a script: {why}")
    for size in (100, 700):
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(ArchiveError, match=r"is no archive of a script: [a-z]"):
            archive.read(str(path))


def test_an_archive_that_cannot_be_read(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "is a directory"), (tmp_path / "none", "no such file or directory")):
        with pytest.raises(ArchiveError) as caught:
            archive.read(str(path))
        assert str(caught.value) == f"open {path}: {why}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags", [("-i", "1"), ("-u", "2"), ("-d", "1s"), ("-s", "1s:1"), ("-u", "2", "-i", "3")]
)
@pytest.mark.parametrize(
    "options",
    [
        "{ duration: '1h' }",
        "{ stages: [{ duration: '1h', target: 1 }] }",
        "{ scenarios: { a: { executor: 'constant-vus', duration: '1h' } } }",
    ],
)
def test_flags_override_what_an_archive_holds_as_what_a_script_says(
    run: Callable[..., Process], project: Project, options: str, flags: tuple[str, ...]
) -> None:
    show = "import exec from 'k6/execution'; export const handleSummary = () => ({});"
    show += "export function setup() { exec.test.abort(JSON.stringify(exec.test.options.scenarios)); }"
    text = f"{show}; export const options = {options}; export default function () {{}}"
    project.write({"main.js": text})
    pack(project, "main.js")
    of_script = run(project.folder / "main.js", *flags)
    of_archive = run(project.folder / "archive.tar", *flags)
    assert of_script.code == of_archive.code == 108
    assert of_archive.messages() == of_script.messages()


def test_scripts_are_no_archives(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_text("export default function () {}" * 100)
    assert not archive.is_archive(str(path))
    assert not archive.is_archive(str(tmp_path / "none"))
    assert not archive.is_archive(str(tmp_path))


def test_users_have_no_names() -> None:
    assert anonymous("/home/ann/tests/../a.js") == "/home/nobody/a.js"
    assert anonymous("/Users/ann/a.js") == "/Users/nobody/a.js"
    assert anonymous("/C/Users/ann/a.js") == "/C/Users/nobody/a.js"
    assert anonymous("/work/home/ann/a.js") == "/work/home/ann/a.js"
