"""Which modules there are."""

from __future__ import annotations

import re

import pytest

from jsrunner.modules import registry
from jsrunner.modules.base import HostModule


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


def pairs() -> list[str]:
    """Stems of the modules that have both halves."""
    folder = registry._FOLDER
    found = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.js")]
    return sorted(str(one) for one in found if (folder / one).with_suffix(".py").is_file())


@pytest.mark.parametrize("stem", pairs())
def test_the_halves_know_the_same_operations(stem: str) -> None:
    """What a JavaScript half calls there is, and it calls all that there is."""
    prefix = "jsrunner:" if stem.startswith("globals/") else ""
    specifier = prefix + stem.removesuffix("/index")
    half = registry._half(specifier)
    if half is None:  # bytes.py is a helper of other halves
        return
    assert issubclass(half, HostModule)
    assert half.specifier == specifier
    offered = {name for name in dir(half) if getattr(getattr(half, name), "is_operation", False)}
    text = "".join(path.read_text() for path in registry._FOLDER.rglob("*.js"))
    called = set(re.findall(rf"['\"`]{half.prefix()}\.([a-z_]+)['\"`]", text))
    assert called <= offered
