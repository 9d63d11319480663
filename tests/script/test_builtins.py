"""k6's own modules as they may be named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from jsrunner.modules import registry
from jsrunner.script import builtins

if TYPE_CHECKING:
    from conftest import Project

MODULES = sorted(
    specifier
    for path in (registry._FOLDER / "k6").rglob("*.js")
    if registry.source(
        specifier := re.sub(r"/index$", "", str(path.relative_to(registry._FOLDER))[:-3])
    )
)


def test_names_that_a_text_exports() -> None:
    text = """export const a = 1, hidden = 2;
export let b;
export function c() {}
export async function d() {}
export function* e() {}
export class F {}
export const { g, h: i, j = 5, ...k } = {};
export { l, m as n, o as default };
  export const indented = 1;
// export const p = 1;
"""
    assert builtins.exports(text) == frozenset("abcdeFgijkln") | {"default"}
    assert builtins.exports("export default {};") == {"default"}


@pytest.mark.parametrize("specifier", MODULES)
def test_the_names_of_our_modules_are_seen(project: Project, specifier: str) -> None:
    """If one were not, a facade would stand between the script and the module for nothing."""
    logged = project.init(
        f"import * as all from '{specifier}'; console.log(Object.keys(all).join());"
        "export default function () {}"
    )
    text = registry.source(specifier)
    assert text is not None
    names = logged[-1].split(",") if logged[-1] else []
    assert set(names) == builtins.exports(text) - {"default"}


def test_a_namespace_has_no_default(project: Project) -> None:
    """Nor has one that is passed on, and it is the same object for all; `default` is there by name."""
    logged = project.init(
        {
            "main.js": """
                import encoding, * as one from 'k6/encoding';
                import * as two from 'k6/encoding';
                import * as timers from 'k6/timers';
                import { named, all } from './other.js';
                import { nothing } from 'k6/encoding';
                import { nothing as none } from 'k6/http';
                console.log(Object.keys(one).join(), one === two, 'default' in one, one.default);
                console.log(Object.keys(encoding).sort().join(), encoding.b64encode === one.b64encode);
                console.log(Object.keys(timers).length, Object.keys(named).sort().join(), Object.keys(all).join());
                console.log(nothing, none, Object.keys(require('k6/encoding')).length);
                export default function () {}
            """,
            "other.js": """
                export * as named from 'k6/crypto/x509';
                import * as all from 'k6/ws';
                export { all };
            """,
        }
    )
    assert logged == [
        "b64decode,b64encode true false undefined",
        "b64decode,b64encode true",
        "4 getAltNames,getIssuer,getSubject,parse connect",
        "null undefined 2",
    ]


def test_a_facade_adds_what_is_missing() -> None:
    name = builtins.facade_of("k6/x", ["a", "default"])
    text = builtins.facade(name, lambda specifier: "export const b = 1;")
    assert text is not None
    assert 'export * from "k6/x";' in text
    assert '"a" in all ? all["a"] : null' in text
    assert "{ ...all }" in text
    assert builtins.facade("jsrunner:other", lambda specifier: "") is None
