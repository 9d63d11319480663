"""What --secret-source takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.secrets.sources import SecretError, parse_sources

if TYPE_CHECKING:
    from pathlib import Path


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "team.txt"
    path.write_text("a=1\n\nb=x = y\nempty=\n")
    for spec in (f"file={path}", f"file=name=team,filename={path}"):
        source = parse_sources([spec], {}).find("default")
        assert [source.get(key) for key in ("a", "b", "empty")] == ["1", "x = y", ""]
        with pytest.raises(SecretError, match="no value"):
            source.get("c")


def test_a_single_source_has_its_name_and_is_the_default() -> None:
    secrets = parse_sources(["mock=name=n,a=1"], {})
    assert set(secrets.sources) == {"n", "default"}


def test_of_several_only_a_marked_one_is_the_default() -> None:
    assert set(parse_sources(["mock=a=1", "mock=name=n"], {}).sources) == {"mock", "n"}
    assert set(parse_sources(["mock=a=1", "mock=name=n,default"], {}).sources) == {
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
        (["mock=default", "mock=name=n,default"], "there is a default secret source before"),
        (["vault=x"], 'no secret source of type "vault"'),
        (["mock=a"], 'parsing "a" of the secret source "mock=a", needs ='),
        (["file="], "names no file"),
        (["file=/nowhere/secrets"], "open /nowhere/secrets: no such file or directory"),
        (["url="], "has no urlTemplate"),
    ],
)
def test_refusals(specs: list[str], text: str) -> None:
    with pytest.raises(JsrunnerError) as caught:
        parse_sources(specs, {})
    assert text in str(caught.value)
    assert caught.value.exit_code == ExitCode.GENERIC


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "team.txt"
    path.write_text("a=1\nnothing\n")
    with pytest.raises(JsrunnerError, match=r"team\.txt, line 2"):
        parse_sources([f"file={path}"], {})


def test_cloud_is_refused() -> None:
    with pytest.raises(JsrunnerError) as caught:
        parse_sources(["cloud"], {})
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG
