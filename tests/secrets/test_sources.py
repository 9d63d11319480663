"""Arguments of --secret-source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.secrets.errors import SecretError
from jsrunner.secrets.sources import parse_sources

if TYPE_CHECKING:
    from pathlib import Path


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "team.txt"
    path.write_text("a=1\nb=x = y\r\nempty=\n# c=2\n")
    for spec in (f"file={path}", f"file=name=team,filename={path}"):
        source = parse_sources([spec], {}).find("default")
        assert [source.get(key) for key in ("a", "b", "empty")] == ["1", "x = y", ""]
        with pytest.raises(SecretError, match="no value"):
            source.get("c")


def test_a_single_source_has_its_name_and_is_the_default() -> None:
    secrets = parse_sources(["mock=name=n,a=1"], {})
    assert set(secrets.sources) == {"n", "default"}


def test_of_several_only_a_marked_one_is_the_default() -> None:
    assert set(parse_sources(["mock=a=1", "mock=name=n,b=2"], {}).sources) == {"mock", "n"}
    assert set(parse_sources(["mock=a=1", "mock=name=n,default,b=2"], {}).sources) == {
        "mock",
        "n",
        "default",
    }


@pytest.mark.parametrize(
    ("specs", "text"),
    [
        (
            ["mock=a=1", "mock=b=2"],
            'secret source for name "mock" already registered before configuration "mock=b=2"',
        ),
        (
            ["mock=a=1,default", "mock=name=n,default,b=1,c=2"],
            'can\'t have two secret sources that are default ones, second one was "b=1,c=2"',
        ),
        ([" "], 'couldn\'t parse secret source configuration " "'),
        (["vault=x"], 'no secret source for type "vault" for configuration "vault=x"'),
        (["mock=a"], 'parsing "a", needs ='),
        (["mock"], 'parsing "", needs ='),
        (["file"], "open : no such file or directory"),
        (["file=missing"], "open missing: no such file or directory"),
        (["file=a,b=c"], 'unknown configuration key for file secret source "b"'),
        (["url="], "missing or invalid config: urlTemplate is required"),
    ],
)
def test_refusals(specs: list[str], text: str) -> None:
    with pytest.raises(JsrunnerError) as caught:
        parse_sources(specs, {})
    assert str(caught.value) == text
    assert caught.value.exit_code == ExitCode.GENERIC


@pytest.mark.parametrize(
    ("content", "line", "number"),
    [("a=1\nno\x1bthing\r\n", "no\\x1bthing", 2), ("a=1\n\nb=2\n", "", 2), (" \n", " ", 1)],
)
def test_a_bad_line_is_named(tmp_path: Path, content: str, line: str, number: int) -> None:
    path = tmp_path / "team.txt"
    path.write_text(content, newline="")
    with pytest.raises(JsrunnerError) as caught:
        parse_sources([f"file={path}"], {})
    assert str(caught.value) == f'parsing "{line}", needs ='
    assert caught.value.hint == f"{path}, line {number}"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe=1\n"])
def test_files_with_any_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "team.txt"
    path.write_bytes(content)
    assert set(parse_sources([f"file={path}"], {}).sources) == {"file", "default"}


def test_cloud_is_refused() -> None:
    with pytest.raises(JsrunnerError) as caught:
        parse_sources(["cloud"], {})
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG
