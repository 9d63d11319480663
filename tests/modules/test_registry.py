"""The registry of modules."""

from __future__ import annotations

import pytest

from jsrunner.modules import registry


@pytest.mark.parametrize(
    ("specifier", "stem"),
    [
        ("k6", "k6/index"),
        ("k6/ws", "k6/ws"),
        ("k6/crypto", "k6/crypto/index"),
        ("k6/crypto/x509", "k6/crypto/x509"),
        ("k6/experimental/fs", "k6/experimental/fs"),
        ("jsrunner:globals/console", "globals/console"),
    ],
)
def test_a_specifier_is_a_path(specifier: str, stem: str) -> None:
    path = registry._FOLDER / f"{stem}.js"
    assert registry.source(specifier) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "specifier",
    [
        "k6/nope",
        "k6/experimental",
        "k6/crypto/index",
        "k6/index",
        "k6/../base",
        "globals/console",
        "",
        "k6x",
    ],
)
def test_there_is_no_such_module(specifier: str) -> None:
    assert registry.source(specifier) is None
