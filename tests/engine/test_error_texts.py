"""Errors that the engine makes have the texts of k6's engine, from which the expected ones were recorded.

The cases of tests/compat/cases/errors/texts-of-*.js hold most texts; here is what these cannot show.
"""

from __future__ import annotations

import pytest

from jsrunner.engine.engine import process_engine
from jsrunner.engine.interpreter import Interpreter
from jsrunner.script.script import ScriptBundle

_HEAD = """
import 'jsrunner:language';
import { host } from 'jsrunner:host';
const caught = (call) => {
  try {
    call();
  } catch (error) {
    return error;
  }
};
const text = (call) => host('text', String(caught(call)));
const und = undefined;
const obj = { a: 1 };
"""


def texts(source: str) -> list[str]:
    """The function `text(call)` of JavaScript, which returns the text of the exception of `call()`."""
    process_engine().forget_modules()  # those of other tests
    script = ScriptBundle("script.js", source="")
    said: list[str] = []
    interpreter = Interpreter(
        process_engine(),
        find_operation=lambda name: said.append if name == "text" else interpreter.explain,
        load=script.load,
        normalize=lambda base, name: name,
    )
    try:
        interpreter.evaluate(_HEAD + source, "file:///script.js")
    finally:
        interpreter.close()
    return said


NO_MEMBER = "TypeError: Object has no member 'foo'"


@pytest.mark.parametrize(
    "statement",
    [
        "obj.foo()",
        "return obj.foo()",
        "obj.foo(1, obj.a, [und], () => obj.bar)",
        "obj.foo(...[1, 2])",
        "obj.foo`template`",
        "obj?.foo()",
        "(obj.foo)()",
        "const name = 'foo'; obj[name]()",
        "const foo = (name) => obj[name](); foo('foo')",
        "try { obj.foo() } finally { obj.a }",
        "try { und.x } catch { obj.foo() }",
        "try { return 1 } finally { obj.foo() }",
        "for (const one of [1]) { obj.foo(one) }",
        "for (const one of [[1]]) { const [two] = one; obj.foo(two) }",
        "for (const key in obj) { obj.foo(key) }",
        "for (let i = 0; i < 2; i += 1) { if (i) continue; obj.foo(i) }",
        "outer: for (;;) { for (const one of [1]) { try { break outer } finally { obj.foo() } } }",
        "switch (obj.a) { case 0: break; case 1: obj.foo(); }",
        "[...(function* () { yield obj.a; yield obj.foo(); })()]",
        "const [one = obj.foo()] = []",
        "const { b = obj.foo() } = obj",
        "((a = obj.foo()) => a)()",
        "class A { b = obj.foo(); } new A()",
        "class A { static { obj.foo() } }",
        "class A { m() { super.foo() } } new A().m()",
        "class A { constructor() { this.foo() } } new A()",
        "JSON.stringify({ toJSON() { obj.foo() } })",
        "[1].map((one) => obj.foo(one))",
        "`${obj.foo()}`",
        "obj.a ? obj.foo() : obj.a()",
        "obj.b ?? obj.foo()",
        "new obj.constructor(obj.foo())",
        "obj.toString(obj.foo())",
        "obj.foo(obj.bar)",
        "Object.prototype.hasOwnProperty.call(obj, obj.foo())",
        "new Proxy(obj, {}).foo()",
        "eval('obj.foo()')",
    ],
)
def test_a_call_names_what_is_missing_wherever_it_stands(statement: str) -> None:
    assert texts(f"text(() => {{ {statement} }});") == [NO_MEMBER]


def test_of_calls_within_a_call_the_one_that_failed_is_named() -> None:
    assert texts(
        "const o = { f(x) { return x; } };"
        "text(() => o.f(o.g(o.f(1))));"
        "text(() => o.g(o.f(o.f(1))));"
        "text(() => o.f(1).h(o.f(2)));"
        "text(() => o.f(o).h(o.f(2)));"
    ) == [
        "TypeError: Object has no member 'g'",
        "TypeError: Object has no member 'g'",
        "TypeError: Object has no member 'h'",
        "TypeError: Object has no member 'h'",
    ]


def test_async_functions_and_promise_jobs() -> None:
    assert texts(
        "(async () => { await 1; obj.foo(); })().catch((error) => text(() => { throw error; }));"
        "Promise.resolve().then(() => und.x).catch((error) => text(() => { throw error; }));"
    ) == [NO_MEMBER, "TypeError: Cannot read property 'x' of undefined"]


def test_what_the_script_makes_itself_stays() -> None:
    own = [
        "not a function",
        "circular reference",
        "'x' is read-only",
        "cannot read property 'x' of null",
    ]
    assert texts(
        f"for (const own of {own}) {{"
        "  text(() => { throw new TypeError(own); });"
        "  text(() => { throw TypeError(own); });"
        "  text(() => { throw Reflect.construct(TypeError, [own]); });"
        "  text(() => { throw new (class extends TypeError {})(own); });"
        "}"
    ) == [f"TypeError: {text}" for text in own for _ in range(4)]


def test_a_text_that_was_given_often_is_given_again_only_in_its_place() -> None:
    """The known text of a place is used again; another name in that place needs a new question."""
    names = ["x"] * 60 + ["y"] * 60 + ["x"]
    given = texts(
        f"for (const name of {names}) {{ text(() => obj[name]()); text(() => und[name]); }}"
        "for (let i = 0; i < 70; i += 1) text(() => { if (i < 60) obj.b(); else obj.c(); });"
    )
    expected = []
    for name in names:
        expected += [
            f"TypeError: Object has no member '{name}'",
            f"TypeError: Cannot read property '{name}' of undefined",
        ]
    # After fifty equal ones in one place k6's text of that place is taken for known.
    assert given[1::2][: len(names)] == expected[1::2]
    assert given[0] == expected[0]
    assert given[-1] == "TypeError: Object has no member 'c'"


def test_message_and_stack_look_as_if_the_engine_had_made_them() -> None:
    assert texts(
        "const error = caught(() => obj.foo());"
        "const { value, ...rest } = Object.getOwnPropertyDescriptor(error, 'message');"
        "host('text', JSON.stringify([value, rest, Object.keys(error)]));"
        "host('text', error.stack.split('\\n')[0]);"
    ) == [
        '["Object has no member \'foo\'",{"writable":true,"enumerable":false,"configurable":true},[]]',
        NO_MEMBER,
    ]


def test_values_are_shown_as_scripts_convert_them() -> None:
    assert texts(
        """
        const shown = { toString() { return 'shown'; } };
        const thrown = { toString() { throw new Error('no text'); } };
        const values = [und, null, 5, -0, 1.5e300, 10n, true, '', 'half \\ud800', shown, thrown, [1, [2]], /r/g];
        for (const value of values) text(() => value());
        text(() => [1].map('{0} {this}'));
        text(() => { const key = '{0}'; obj[key](); });
        """
    ) == [
        "TypeError: Value is not an object: undefined",
        "TypeError: Value is not an object: null",
        "TypeError: Value is not an object: 5",
        "TypeError: Value is not an object: 0",
        "TypeError: Value is not an object: 1.5e+300",
        "TypeError: Value is not an object: 10",
        "TypeError: Value is not an object: true",
        "TypeError: Value is not an object: ",
        "TypeError: Value is not an object: half \ufffd",
        "TypeError: Not a function: shown",
        "TypeError: Not a function: ",
        "TypeError: Not a function: 1,2",
        "TypeError: Not a function: /r/g",
        "TypeError: Value is not an object: {0} {this}",
        "TypeError: Object has no member '{0}'",
    ]


def test_texts_that_the_script_makes_are_made_where_it_may_wait() -> None:
    assert texts(
        """
        const says = (name, more) => ({ [name]() { host('text', name); return 'mine'; }, ...more });
        text(() => says('toString')());
        text(() => JSON.parse(says('toString')));
        text(() => String.fromCodePoint(says('valueOf', { toString: null })));
        text(() => ({ toString() { null.x; } })());
        text(() => Object.create(null)());
        text(() => [].push.call(Object.freeze({ get length() { host('text', 'length'); return 1; } }), 2));
        """
    ) == [
        "toString",
        "TypeError: Not a function: mine",
        "toString",
        "toString",
        "SyntaxError: invalid character 'm' looking for beginning of value",
        "valueOf",
        "valueOf",
        "RangeError: Invalid code point NaN",
        "TypeError: Not a function: ",
        "TypeError: Not a function: ",
        "length",
        "length",
        "TypeError: Cannot add property 1, object is not extensible",
    ]


def test_no_getter_and_no_trap_of_the_script_runs() -> None:
    assert texts(
        "let count = 0;"
        "const counting = new Proxy({}, { has() { count += 1; }, get() { count += 1; } });"
        "text(() => counting.foo());"
        "host('text', String(count));"
    ) == ["TypeError: Value is not an object: undefined", "1"]


def test_a_script_that_has_replaced_what_the_language_has() -> None:
    assert texts(
        """
        const tools = [Object, RegExp.prototype, Map.prototype, String.prototype, Array.prototype];
        for (const tool of tools) {
          for (const name of Reflect.ownKeys(tool)) {
            const { writable, value } = Reflect.getOwnPropertyDescriptor(tool, name);
            if (writable && name !== Symbol.iterator && typeof value === 'function') {
              tool[name] = () => { throw 5; };
            }
          }
        }
        text(() => obj.foo());
        text(() => JSON.parse('{'));
        """
    ) == [NO_MEMBER, "SyntaxError: Unexpected end of JSON input (EOF)"]


def test_a_function_too_long_to_be_looked_into_keeps_the_engines_text() -> None:
    filler = "obj.a;" * 20_000
    assert texts(f"text(() => {{ {filler} obj.foo(); }});") == ["TypeError: not a function"]
