"""Modules that other packages offer as k6/x/NAME."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.errors import ScriptError
from jsrunner.modules import extensions, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PYTHON = """
from jsrunner.engine.interpreter import HostError
from jsrunner.modules.base import HostModule, operation

class Other(HostModule):
    specifier = "k6/x/other"

class Adder(HostModule):
    specifier = "k6/x/adder"

    @operation
    def add(self, *numbers):
        if not numbers:
            raise HostError("nothing to add")
        return sum(numbers)

    @operation
    def vu_number(self):
        return self.vu.id
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install a package with these files and entry points."""

    def clear() -> None:
        extensions.find.cache_clear()
        registry._half.cache_clear()
        for name in [name for name in sys.modules if name.startswith("some_package")]:
            del sys.modules[name]

    def install(files: dict[str, str], points: dict[str, str]) -> None:
        site = tmp_path / "site"
        package = site / "some_package"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        for name, text in files.items():
            (package / name).write_text(text)
        about = site / "some_package-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: some-package\nVersion: 1.0\n")
        lines = "\n".join(f"{name} = {value}" for name, value in points.items())
        (about / "entry_points.txt").write_text(f"[{extensions.GROUP}]\n{lines}\n")
        monkeypatch.syspath_prepend(site)
        clear()

    yield install
    clear()


def test_two_halves(install: Callable[..., None], run: Any) -> None:
    install(
        {
            "adder.py": PYTHON,
            "adder.js": "import { host } from 'jsrunner:host';\n"
            "export const add = (...numbers) => `sum ${host('x_adder.add', ...numbers)}`;\n"
            "export default { add };",
        },
        {"k6/x/adder": "some_package.adder"},
    )
    assert run(
        "import adder, { add, nope } from 'k6/x/adder'; console.log(add(1, 2), adder.add(3), nope);"
        "try { add(); } catch (e) { console.log(`${e}`); } export default function () {}"
    ) == ["sum 3 sum 3 undefined", "GoError: nothing to add"]


def test_python_alone(install: Callable[..., None], run: Any) -> None:
    install({"adder.py": PYTHON}, {"k6/x/adder": "some_package.adder"})
    assert run(
        "const adder = require('k6/x/adder'); console.log(adder.add(1, 2), adder.vu_number(),"
        "Object.keys(adder).join()); exports.default = () => {};"
    ) == ["3 0 add,vu_number"]


def test_javascript_alone(install: Callable[..., None], run: Any) -> None:
    install({"pure.js": "export const x = 1;"}, {"k6/x/pure": "some_package.pure"})
    assert run("import { x, y } from 'k6/x/pure'; console.log(x, y); export default () => {};") == [
        "1 null"
    ]


def test_nobody_offers_it(install: Callable[..., None], run: Any) -> None:
    install({}, {})
    assert registry.source("k6/x/adder") is None
    for text in ("import 'k6/x/adder'", "require('k6/x/adder')"):
        with pytest.raises(ScriptError, match='unknown modules \\["k6/x/adder"\\]') as caught:
            run(f"{text}; export default () => {{}};")
        assert "binary" not in str(caught.value)
    with pytest.raises(ScriptError) as caught:
        run("import 'k6/x/adder'; import * as n from 'k6/x/none'; export default () => {};")
    assert str(caught.value).endswith(
        'unknown modules ["k6/x/adder", "k6/x/none"] were tried to be loaded, but couldn\'t - no installed '
        "Python package offers them"
    )
    assert "docs/guides/extensions.md" in str(caught.value.hint)
    assert "https://pypi.org/" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("some_package.none", "there is neither a HostModule of that specifier nor a JavaScript file"),
        ("no_package.none", "No module named 'no_package'"),
        ("some_package.broken", "cannot import name"),
    ],
)
def test_what_is_offered_wrongly(install: Callable[..., None], run: Any, value: str, text: str) -> None:
    install({"broken.py": "from os import nothing_of_that_name"}, {"k6/x/adder": value})
    with pytest.raises(ScriptError, match=text):
        run("import 'k6/x/adder'; export default () => {};")
