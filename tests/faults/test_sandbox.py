"""The reach of a script: k6's globals, and no object of jsrunner behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

    Run = Callable[..., Process]

#: k6-surface GL-03 to GL-09, and the language's own.
GLOBALS = {
    "AggregateError",
    "Array",
    "ArrayBuffer",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Boolean",
    "DataView",
    "Date",
    "Error",
    "EvalError",
    "Float32Array",
    "Float64Array",
    "Function",
    "GoError",
    "Infinity",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "JSON",
    "Map",
    "Math",
    "NaN",
    "Number",
    "Object",
    "Promise",
    "Proxy",
    "RangeError",
    "ReferenceError",
    "Reflect",
    "RegExp",
    "Set",
    "String",
    "Symbol",
    "SyntaxError",
    "TextDecoder",
    "TextEncoder",
    "TypeError",
    "URIError",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakSet",
    "__ENV",
    "__ITER",
    "__VU",
    "clearInterval",
    "clearTimeout",
    "console",
    "crypto",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "eval",
    "exports",
    "global",
    "globalThis",
    "isFinite",
    "isNaN",
    "module",
    "open",
    "parseFloat",
    "parseInt",
    "require",
    "setInterval",
    "setTimeout",
    "undefined",
    "unescape",
}


def test_globals(run: Run) -> None:
    done = run(
        """
        const names = [];
        for (let at = globalThis; at; at = Object.getPrototypeOf(at)) names.push(Reflect.ownKeys(at).map(String));
        export default function () {
          const now = Reflect.ownKeys(globalThis).map(String);
          const inherited = [];
          for (const name in globalThis) inherited.push(name);
          console.log(JSON.stringify([names, now, inherited, Object.keys(Object.getOwnPropertyDescriptors(globalThis))]));
        }
        """
    )
    [text] = done.messages("info")
    chain, now, enumerable, described = json.loads(text)
    found = {name for name in chain[0] if not name.startswith("Symbol(")}
    # The first iteration brings __ITER, as in k6.
    assert found | {"__ITER"} == set(now) - {"Symbol(Symbol.toStringTag)"}
    assert found - GLOBALS == set()
    assert set(enumerable) == ENUMERABLE
    assert set(described) - GLOBALS == set()
    assert set().union(*chain[1:]) <= OBJECT


ENUMERABLE = {
    *("__ENV", "__ITER", "__VU", "clearInterval", "clearTimeout", "console", "crypto", "global"),
    *("open", "require", "setInterval", "setTimeout", "TextDecoder", "TextEncoder"),
}

OBJECT = {
    "constructor",
    "toString",
    "toLocaleString",
    "valueOf",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "__proto__",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
}


EXPRESSIONS = [
    "typeof call_python",
    "typeof dukpy",
    "typeof process",
    "typeof globalThis.call_python",
    "typeof global.dukpy",
    "'call_python' in globalThis",
    "'dukpy' in globalThis",
    "typeof new Function('return typeof call_python')()",
    "new Function('return typeof dukpy')()",
    "(0, eval)('typeof dukpy')",
    "typeof Error.prepareStackTrace",
    "typeof std + typeof os + typeof bjson + typeof print + typeof scriptArgs",
    "typeof InternalError + typeof WeakRef + typeof performance + typeof queueMicrotask",
]


def test_names(run: Run) -> None:
    look = f"for (const one of [{', '.join(EXPRESSIONS)}]) console.log(one);"
    done = run(f"{look}\nexport default function () {{ {look} }}")
    texts = done.messages("info")
    # The init code runs for the run itself, for the VU and for the summary.
    assert len(texts) == 4 * len(EXPRESSIONS)
    assert {text.replace("undefined", "") for text in texts} == {"", "string", "false"}


@pytest.mark.parametrize("specifier", ["fs", "jsrunner:host", "os"])
def test_modules(run: Run, specifier: str) -> None:
    done = run(
        f"import x from '{specifier}';\nexport default function () {{ console.log('reached'); }}"
    )
    assert done.code == 107
    assert f'The moduleSpecifier "{specifier}" couldn\'t be recognised' in done.messages("error")[-1]


def test_dynamic_import(run: Run) -> None:
    done = run(
        """
        export default async function () {
          for (const name of ['jsrunner:host', 'jsrunner:script', 'fs']) {
            try { console.log(name, Object.keys(await import(name))); } catch (error) { console.log('refused'); }
          }
        }
        """
    )
    assert done.messages("info") == ["refused"] * 3


#: Each tries to get hold of the function that calls Python, or of another one of ours.
ATTACKS = {
    "global function": """
        (0, eval)('var call_python = 0; var dukpy = 0');
    """,
    "own property": """
        for (const name of ['call_python', 'dukpy']) {
          Object.defineProperty(globalThis, name, { value: 0, writable: true, configurable: true });
        }
    """,
    "setter": """
        for (const name of ['call_python', 'dukpy']) {
          Object.defineProperty(globalThis, name, { set(value) { found(value); }, configurable: true });
        }
    """,
    "setter on Object.prototype": """
        for (const name of ['call_python', 'dukpy', '__incoming', '__outgoing']) {
          Object.defineProperty(Object.prototype, name, { set(value) { found(value); }, configurable: true });
        }
    """,
    "prototype": "Object.setPrototypeOf(globalThis, null);",
    "prototype with setters": """
        Object.setPrototypeOf(globalThis, { set call_python(value) { found(value); }, set dukpy(value) { found(value); } });
    """,
    "stack frames": """
        Error.prepareStackTrace = (error, frames) => { frames.forEach((one) => found(one.getFunction())); return ''; };
        const grab = { toJSON() { return new Error().stack; }, toString() { new Error().stack; return ''; } };
        console.log(grab);
        try { exec.vu.metrics.tags[grab] = grab; } catch {}
        try { check(grab, { [grab]: () => new Error().stack }, { a: grab }); } catch {}
        found(grab.toJSON());
    """,
    "iterators": """
        Array.prototype[Symbol.iterator] = function* () { this.forEach(found); };
        console.log({ toString() { return new Error().stack; } }, new Error().stack);
    """,
    "array methods": """
        for (const name of ['push', 'pop', 'map', 'filter', 'slice', 'splice', 'forEach', 'includes', 'join']) {
          const real = Array.prototype[name];
          Array.prototype[name] = function (...args) { found(this); found(args); return Reflect_apply(real, this, args); };
        }
    """,
    "function methods": """
        for (const name of ['call', 'apply', 'bind']) {
          Function.prototype[name] = function (...args) { found(this); args.forEach(found); };
        }
        Reflect.apply = (...args) => args.forEach(found);
    """,
    "callers": """
        const outer = () => { try { found(outer.caller); } catch {} try { found(arguments.callee.caller); } catch {} };
        try { group('g', outer); } catch {}
        try { check(1, { outer }); } catch {}
    """,
    "toJSON": """
        Object.prototype.toJSON = function () { found(this); return this; };
    """,
    "proxies": """
        const trap = new Proxy(() => {}, {
          get: (target, key, receiver) => { found(receiver); return target[key]; },
          apply: (target, self, args) => { found(self); args.forEach(found); },
          getPrototypeOf: (target) => { new Error().stack; return Function.prototype; },
        });
        try { group('g', trap); } catch {}
        try { check(trap, { trap }, trap); } catch {}
        try { new Counter(trap); } catch {}
        console.log(trap);
    """,
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_attacks(run: Run, attack: str) -> None:
    """A script may break itself; it must not get through."""
    done = run((Path(__file__).parent / "attacked.js").read_text().replace("/* attack */", attack))
    assert not done.said("REACHED"), done.messages()
    assert done.code == 0, done.stderr


def test_go_values_hide_their_constructor(run: Run) -> None:
    done = run(
        """
        import { fail } from 'k6';
        export default function () {
          try { fail('x'); } catch (error) {
            console.log(error.constructor === GoError, Object.keys(error.value), error.value.constructor.name);
          }
        }
        """
    )
    assert done.messages("info") == ['true [ "error" ] Object']


def test_environment_is_what_was_given(run: Run) -> None:
    done = run(
        "export default function () { console.log(Object.keys(__ENV), __ENV.A); }",
        "--include-system-env-vars=false",
        "-e",
        "A=b",
        env={"SECRET": "x"},
    )
    assert done.messages("info") == ['[ "A" ] b']
