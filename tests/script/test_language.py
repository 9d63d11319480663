"""Which built-ins a text needs that the engine lacks or has otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.modules import registry
from jsrunner.script import language

if TYPE_CHECKING:
    from conftest import Project


@pytest.mark.parametrize(
    ("text", "specifiers"),
    [
        ("Uint8Array.fromHex('00')", ["uint8array"]),
        ("const { isRawJSON } = JSON;", ["raw_json"]),
        ("list.sort((a, b) => a.localeCompare(b))", ["collation", "sorting"]),
        ("new Date(0).toLocaleString()", ["dates", "locale"]),
        ("n.toString(36)", ["radixes"]),
        ("n.toString( base )", ["radixes"]),
        ("n.toString(); n.toString(16); n.toString( 2 ); String(n)", []),
        ("Date.now(); Math.random(); Math.floor(1.5); console.log(1); [1].map(String)", []),
    ],
)
def test_words(text: str, specifiers: list[str]) -> None:
    assert language.modules_for(text) == tuple(f"jsrunner:globals/{name}" for name in specifiers)


def test_the_modules_are_there() -> None:
    for specifier in (*language._WORDS, *language.modules_for("n.toString(3)")):
        assert registry.source(specifier) is not None


@pytest.mark.slow
def test_all_modules_of_a_script_are_looked_through(project: Project) -> None:
    """An imported one, a CommonJS one, one in TypeScript, and one that is required late."""
    project.write(
        {
            "esm.js": "export const hex = (bytes) => bytes.toHex();",
            "old.js": "module.exports = (a, b) => a.localeCompare(b);",
            "typed.ts": "export const year = (d: Date): number => d.setFullYear(NaN as number);",
            "late.js": "module.exports = () => Math.cbrt(27);",
        }
    )
    logged = project.init("""
        import { hex } from './esm.js';
        import compare from './old.js';
        import { year } from './typed.ts';
        const day = new Date(0);
        year(day);
        console.log(hex(new Uint8Array([255])), compare('a', 'B'), day.getTime(), require('./late.js')());
        export default function () {}
    """)
    assert logged == ["ff -1 NaN 3"]


def test_a_script_without_the_words_has_the_engine_as_it_is(project: Project) -> None:
    logged = project.init("""
        const name = ['to', 'Hex'].join('');
        console.log(name in Uint8Array.prototype);
        export default function () {}
    """)
    assert logged == ["false"]
