"""The scanner: imports that it must find, and texts that only look like imports."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.script.scanner import Import, scan


def found(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.specifier, one.names) for one in scan(text).imports]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import 'm'", ()),
        ('import"m"', ()),
        ("import d from 'm'", ("default",)),
        ("import{a}from'm';", ("a",)),
        (
            "import { a, b as c, default as d, 'odd name' as e, } from 'm'",
            ("a", "b", "default", "odd name"),
        ),
        ("import d, { a } from 'm'", ("default", "a")),
        ("import /* x */ d // y\n from\n'm'", ("default",)),
        ("import { a /* , no */, // no\n b } from 'm'", ("a", "b")),
        ("import {} from 'm'", ()),
        ("import $, { _ as ä } from 'm'", ("default", "_")),
        ("export { a, b as c } from 'm'", ("a", "b")),
        ("export{default}from'm'", ("default",)),
    ],
)
def test_declarations(text: str, names: tuple[str, ...]) -> None:
    assert found(f"{text}\nlet x;") == [("m", names)]


def test_namespaces_and_stars() -> None:
    text = "import d, * as n from 'a'; export * as m from 'b'; export * from 'c';"
    first, second, third = scan(text).imports
    assert (first.names, first.namespace_name, second.namespace_name) == (("default",), "n", "m")
    assert [text[slice(*one.namespace or ())] for one in (first, second)] == ["* as n", "* as m"]
    assert third == Import("c", star=True)


def test_escapes_of_specifiers_are_read() -> None:
    assert found(
        r"import '\x61\u0062\u{63}\n\'\
d'"
    ) == [("abc\n'd", ())]


def test_attributes() -> None:
    text = "import x from 'm' with { type: 'json' };"
    [one] = scan(text).imports
    assert one.attributes == text.index("with")


@pytest.mark.parametrize(
    "text",
    [
        "// import 'm'",
        "/* import 'm' */",
        "'import \"m\"'",
        "`\nimport 'm'\n${`import 'm'`}`",
        "`${ { a: `}` } }\nimport 'm'`",
        "const r = /import 'm'/;",
        "const r = [/[/'\"`]/, a / b / c, `x`]; // import 'm'",
        "if (a) /['\"]import 'm'/.test(b);",
        "x = a++ / 2; y = 'import \"m\"' / 3;",
        "return /\\/import 'm'/g",
        "f(/`/); g('import \"m\"', /`/);",
        "const o = { import: 1, export: 2, from: 'm' };",
        "o.import; o?.export; o . import; class A { #import = 1; import() {} }",
        "reimport 'm'; $import('m'); imports('m');",
        "function f() { import('m'); }",
        "export { a, b }; export default 'm'; export const from = 'm';",
        "({}) / 'import' / 2; x = {} / /import 'm'/.source;",
        "a = b\n/* c */ / d; '/'; import('m') / 2;",
    ],
)
def test_what_is_no_declaration(text: str) -> None:
    assert found(text) == []
    assert found(f"{text}\n;import 'real';") == [("real", ())]


def test_meta_and_calls() -> None:
    text = "import.meta.url; f({ ...import.meta, a: import('x') }); `${import.meta}`; 'import.meta'; import ( y );"
    places = scan(text)
    assert [text[at : at + 11] for at in places.metas] == ["import.meta"] * 3
    assert [text[at:][:6] for at in places.calls] == ["import", "import"]


def test_names_from_a_specifier() -> None:
    text = "import a, { b } from 'm'; import { c, b } from 'm'; import { d } from 'n';"
    assert scan(text).names_from("m") == ("default", "b", "c")


_CODE = st.sampled_from(
    [
        "a", "1", " ", "\n", "/", "/x/", "'s'", '"s"', "`t`", "`${", "}", "{", "(", ")", "[", "]", ";", "=",
        "=>", "return ", "if ", "// c\n", "/* c */", "import ", "export ", "import(", "import.meta", ".", "*",
        "from ", "'m'", "{a}", "\\", "++", "'", "`",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(_CODE, max_size=30).map("".join))
def test_any_text_can_be_scanned(text: str) -> None:
    places = scan(text)
    assert all(text.startswith("import.meta", at) for at in places.metas)
    assert all(text.startswith("import", at) for at in places.calls)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "const a = /[`'\"]/g;", "let b = c / d / e;", "f(`x${ {y: 1}.y / 2 }`);", "if (x) /`/.test(y);",
                "while (x) { z /= 2 }", "// it's\n", "/* ` */", "function g() { return /}/ }", "q = {} / 1;",
                "class A { m() { return `}` } }", "r = x ? /:/ : y / 2;", "label: { s = '}' }", "t = !/'/;",
                "switch (u) { case /`/: break; default: v = 1 / 2 }", "w = () => { return 1 } ;",
            ]
        ),
        max_size=8,
    )
)  # fmt: skip
def test_code_before_a_declaration_hides_it_not(parts: list[str]) -> None:
    assert found("\n".join([*parts, "import { x } from 'm';"])) == [("m", ("x",))]
