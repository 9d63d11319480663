"""The folder of what is kept between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.script import cache

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_is_stored_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSRUNNER_CACHE_DIR", str(tmp_path / "cache"))
    assert cache.load("a", "key") is None
    cache.store("a", "key", b"one")
    cache.store("a", "key", b"two")
    cache.store("b", "key", b"other")
    assert (cache.load("a", "key"), cache.load("b", "key")) == (b"two", b"other")
    assert len(list((tmp_path / "cache" / "a").iterdir())) == 1


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JSRUNNER_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache.folder() == tmp_path / "jsrunner"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache.folder().parts[-3:] == ("Library", "Caches", "jsrunner")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache.folder() == tmp_path / "local" / "jsrunner"
