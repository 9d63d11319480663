"""Texts of syntax errors: what k6 says of the same texts (of the first error, where it finds several)."""

from __future__ import annotations

from typing import Final

import pytest

from jsrunner.engine.engine import process_engine
from jsrunner.script import syntax

#: What k6 says of CommonJS modules, whose columns it counts with its own text before them.
COMMONJS: Final = [
    ("let a = 1; let a = 2;", "SyntaxError: Identifier 'a' has already been declared at URL:1:43"),
    ("const a;", "SyntaxError: Missing initializer in const declaration at URL:1:34"),
    ("var a; let a;", "SyntaxError: Identifier 'a' has already been declared at URL:1:39"),
    ("function f() {} let f;", "SyntaxError: Identifier 'f' has already been declared at URL:1:48"),
    ("class A {} class A {}", "SyntaxError: Identifier 'A' has already been declared at URL:1:45"),
    ("let let = 1;", "SyntaxError: let is disallowed as a lexically bound name at URL:1:32"),
    ("var x = 1 +;", "URL: Line 1:12 Unexpected token ;"),
    ("foo(1, 2;", "URL: Line 1:9 Unexpected token ;"),
    ("foo(1 2);", "URL: Line 1:7 Unexpected number"),
    ("({a 1});", "URL: Line 1:5 Unexpected number"),
    ("if (x {", "URL: Line 1:7 Unexpected token {"),
    ("if x) {}", "URL: Line 1:4 Unexpected identifier"),
    ("for (;;", "URL: Line 2:1 Unexpected end of input"),
    ("while (true {", "URL: Line 1:13 Unexpected token {"),
    ("function () {}", "URL: Line 1:10 Unexpected token ("),
    (
        "function f(a, a) {}",
        "SyntaxError: Duplicate parameter name not allowed in this context at URL:1:42",
    ),
    ("break;", "URL: Line 1:1 Illegal break statement"),
    ("continue;", "URL: Line 1:1 Illegal continue statement"),
    ("x = 08;", "URL: Line 1:5 Unexpected token ILLEGAL"),
    ("x = 010;", "SyntaxError: Octal literals are not allowed in strict mode at URL:1:32"),
    ("delete x;", "SyntaxError: Delete of an unqualified identifier in strict mode at URL:1:35"),
    ("with (a) {}", "SyntaxError: Strict mode code may not include a with statement at URL:1:28"),
    (
        "arguments = 1;",
        "SyntaxError: Assignment to eval or arguments is not allowed in strict mode at URL:1:28",
    ),
    (
        "eval = 1;",
        "SyntaxError: Assignment to eval or arguments is not allowed in strict mode at URL:1:28",
    ),
    ("'abc", "URL: Line 1:1 Unexpected token ILLEGAL"),
    ("`abc", "URL: Line 2:1 Unexpected end of input"),
    ("/abc", "URL: Line 1:1 Invalid regular expression: missing /"),
    ("x = /(/;", "SyntaxError: Unterminated group at URL:1:32"),
    ("x = /a/zz;", "SyntaxError: Invalid flags supplied to RegExp constructor 'zz' at URL:1:32"),
    ("x = 1__0;", "URL: Line 1:7 Only one underscore is allowed as numeric separator"),
    ("x = 0x;", "URL: Line 1:5 Unexpected token ILLEGAL"),
    ("x = @;", "URL: Line 1:5 Unexpected token ILLEGAL"),
    ('x = "\\u{zz}";', "URL: Line 1:5 Unexpected token ILLEGAL"),
    ("}", "URL: Line 1:1 Unexpected token }"),
    ("{", "URL: Line 2:1 Unexpected end of input"),
    ("class { }", "URL: Line 1:7 Unexpected token {"),
    (
        "class A { constructor() {} constructor() {} }",
        "SyntaxError: A class may only have one constructor at URL:1:55",
    ),
    ("class A { #a; #a; }", "SyntaxError: Identifier '#a' has already been declared at URL:1:42"),
    (
        "class A { m() { this.#b; } }",
        "SyntaxError: Private field '#b' must be declared in an enclosing class at URL:1:49",
    ),
    ("class A { x: 1 }", "URL: Line 1:12 Unexpected token :"),
    (
        "class A { static prototype() {} }",
        "URL: Line 1:18 Classes may not have a static property named 'prototype'",
    ),
    (
        "class A { constructor() { super(); } }",
        "SyntaxError: 'super' keyword unexpected here at URL:1:54",
    ),
    ("function f() { super.x; }", "SyntaxError: 'super' keyword unexpected here at URL:1:43"),
    ("x = {get a};", "URL: Line 1:11 Unexpected token }"),
    ("x = {a, b: };", "URL: Line 1:12 Unexpected token }"),
    ("f(...);", "URL: Line 1:6 Unexpected token )"),
    ("const {a} = 1, {a} = 2;", "SyntaxError: Identifier 'a' has already been declared at URL:1:44"),
    ("let [a, a] = [];", "SyntaxError: Identifier 'a' has already been declared at URL:1:36"),
    ("1 = 2;", "URL: Line 1:1 Invalid left-hand side in assignment"),
    ("f() = 1;", "URL: Line 1:1 Invalid left-hand side in assignment"),
    ("++1;", "URL: Line 1:1 Invalid left-hand side in assignment"),
    ("(a, b) + => 1", "URL: Line 1:10 Unexpected token =>"),
    (
        "x = -1 ** 2;",
        "URL: Line 1:8 Unary operator used immediately before exponentiation expression. Parenthesis must be used to disambiguate operator precedence",
    ),
    ("label: label: 1;", "URL: Line 1:8 Label 'label' already exists"),
    ("break foo;", "URL: Line 1:1 Undefined label 'foo'"),
    ("switch (x) { default: default: }", "URL: Line 1:23 Already saw a default in switch"),
    ("try {}", "URL: Line 1:1 Missing catch or finally after try"),
    ("try { } catch", "URL: Line 2:1 Unexpected end of input"),
    (
        "if (1) function f() {}",
        "SyntaxError: In strict mode code, functions can only be declared at top level or inside a block. at URL:1:35",
    ),
    (
        "if (1) const x = 1;",
        "URL: Line 1:8 Lexical declaration cannot appear in a single-statement context",
    ),
    ("a b c", "URL: Line 1:3 Unexpected identifier"),
    ("var if;", "URL: Line 1:5 Unexpected token if"),
    ("enum X {}", "URL: Line 1:1 Unexpected reserved word"),
    ("package = 1;", "SyntaxError: Unexpected strict mode reserved word at URL:1:28"),
    ("//\n\n   x = ;", "URL: Line 3:8 Unexpected token ;"),
    ("x = `a${1`;", "URL: Line 2:1 Unexpected end of input"),
    ("x = `${1 2}`;", "URL: Line 1:10 Unexpected number"),
]

MODULES: Final = [
    ("import 'k6", "URL: Line 1:8 Unexpected token ILLEGAL"),
    ("import { a b } from 'k6';", "URL: Line 1:12 Unexpected identifier"),
    ("import a, b from 'k6';", "URL: Line 1:11 Unexpected identifier"),
    ("import * from 'k6';", "URL: Line 1:10 Expected 'as' keyword, found 'from' instead"),
    ("export const a = 1; export const a = 2;", "SyntaxError: Duplicate export name a"),
    ("export const a = 1; const b = 2; export { b as a };", "SyntaxError: Duplicate export name a"),
    ("export default 1; export default 2;", "SyntaxError: Duplicate export name default"),
    (
        "export default function () {} export default function () {}",
        "SyntaxError: Duplicate export name default",
    ),
    ("export { x }; let x; export { x as y, x as y };", "SyntaxError: Duplicate export name y"),
    ("export default;", "URL: Line 1:15 Unexpected token ;"),
    ("export default const x = 1;", "URL: Line 1:16 Unexpected token const"),
    (
        "export default function () { let x = 1; let x = 2; }",
        "SyntaxError: Identifier 'x' has already been declared at URL:1:45",
    ),
    (
        "export default function () { const x; }",
        "SyntaxError: Missing initializer in const declaration at URL:1:36",
    ),
    ("export default () => { return", "URL: Line 2:1 Unexpected end of input"),
    ("export default () => { foo(; }", "URL: Line 1:28 Unexpected token ;"),
    ("export default function () { } }", "URL: Line 1:32 Unexpected token }"),
    ("export class {}", "URL: Line 1:14 Unexpected token {"),
    ("import 'k6';\nfunction f() { await foo(); }", "URL: Line 2:22 Unexpected identifier"),
    ("import 'k6';\nconst f = () => await x;", "URL: Line 2:23 Unexpected identifier"),
    ("import 'k6';\nfunction f() { await new Promise(f); }", "URL: Line 2:22 Unexpected token new"),
    ("import 'k6';\nfunction f() { yield x; }", "URL: Line 2:22 Unexpected identifier"),
    ("import 'k6';\nlet await = 3;", "URL: Line 2:5 Unexpected token await"),
    ("import 'k6';\nexport { nope };", 'SyntaxError: exporting unknown binding: "nope" at URL:2:1'),
]


def explain(text: str, *, is_commonjs: bool = False) -> str | None:
    return syntax.explain(text, "URL", process_engine().syntax_error, is_commonjs=is_commonjs)


@pytest.mark.parametrize(("text", "expected"), COMMONJS)
def test_commonjs(text: str, expected: str) -> None:
    assert explain(text + "\n", is_commonjs=True) == expected


@pytest.mark.parametrize(("text", "expected"), MODULES)
def test_modules(text: str, expected: str) -> None:
    assert explain(text + "\n") == expected


@pytest.mark.parametrize("text", ["", "export default function () {}", "const { a = 1 } = await f();"])
def test_nothing_is_wrong(text: str) -> None:
    assert explain(text) is None


def test_functions_of_commonjs() -> None:
    """Its code may return; other errors are reported at their places."""
    assert explain("if (x) return;\nexports.a = new.target;", is_commonjs=True) is None
    assert explain("return;", is_commonjs=False) == "URL: Line 1:1 Illegal return statement"
    told = explain("return 1;\nx = ;", is_commonjs=True)
    assert told == "URL: Line 2:5 Unexpected token ;"


def test_tokens_that_look_ahead() -> None:
    """Beginnings that are wrong themselves (`()` without its arrow) do not hide the mistake."""
    text = "export default () => { const f = ({ a = 1 }, [b] = []) => a; ({ c = 2 } = d); x y; };"
    assert explain(text) == f"URL: Line 1:{text.index('y;') + 1} Unexpected identifier"


def test_large_module() -> None:
    lines = ["// a large module"] + [
        f"export const v{n} = {{ a: [{n}, 'x'], b: `${{{n}}}` }};" for n in range(5_000)
    ]
    lines[4_000] = "export const wrong = { a: 1;"
    assert explain("\n".join(lines)) == "URL: Line 4001:28 Unexpected token ;"
