"""Scripts that change the language's own objects: k6's modules work on, as they do in Go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import trustme

from jsrunner.modules import registry
from jsrunner.script import builtins
from jsrunner.server.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from http_sites import Site
    from running import Process

    Run = Callable[..., Process]

SCRIPT: Final = Path(__file__).with_name("every_function.js").read_text(encoding="utf-8")
PROTO_FOLDER: Final = Path(__file__).parents[2] / "js_scripts" / "data"
#: Where a script changes things: in its init code, or in its first iteration.
PLACES: Final = ("/* at the beginning */", "/* later */")

#: Names of members that our modules might look up or set in objects of theirs.
_NAMES: Final = sorted(
    set(
        re.findall(
            r"(?<![\w$])([a-z]\w*)(?=:|\s*=[^=>])",
            "".join(path.read_text() for path in Path(registry.__file__).parent.rglob("*.js")),
        )
    )
)


def every(objects: str, change: str) -> str:
    """Do something for `owner[key]` of all own properties of these objects."""
    return f"""{{
      const owners = [{objects}];
      const kept = {{
        __proto__: null, __ENV: 1, __ITER: 1, __VU: 1, module: 1, exports: 1, TextEncoder: 1, TextDecoder: 1, crypto: 1,
      }};
      const {{ ownKeys, defineProperty, deleteProperty, getOwnPropertyDescriptor }} = Reflect;
      for (let i = 0; i < owners.length; i += 1) {{
        const owner = owners[i];
        const own = ownKeys(owner);
        for (let j = 0; j < own.length; j += 1) {{
          const key = own[j];
          const descriptor = getOwnPropertyDescriptor(owner, key);
          if (key === 'prototype' || key === 'length' || key === 'name' || !descriptor.configurable) continue;
          {change}
        }}
      }}
    }}"""


_TYPED: Final = "Object.getPrototypeOf(Uint8Array.prototype), Uint8Array.prototype"
_PROTOTYPES: Final = ", ".join(
    f"{name}.prototype"
    for name in (
        "Array", "ArrayBuffer", "BigInt", "Boolean", "DataView", "Date", "Error", "GoError", "Map", "Number", "RegExp",
        "Set", "String", "Symbol", "TypeError", "WeakMap",
    )
)  # fmt: skip
_STATICS: Final = (
    "Array, ArrayBuffer, BigInt, Date, Error, Function, JSON, Math, Number, Object, Promise, Reflect, RegExp, String,"
    " Symbol, Map, Set, Object.getPrototypeOf(Uint8Array), Uint8Array"
)
#: Not what a promise is recognized by: `await` itself looks at it.
_NOT_CONSTRUCTOR: Final = "if (key === 'constructor') continue;"
_THROWS: Final = "const broken = function () { throw new TypeError('polluted'); };"
#: Names of k6's that a script can only use by their names.
_KEEPS_NAMES: Final = "if (kept[key]) continue;"
#: Makes functions and accessors throw.
_BREAK: Final = """
  if (typeof descriptor.value === 'function') {
    defineProperty(owner, key, { __proto__: null, value: broken, writable: true, configurable: true });
  } else if (descriptor.get) {
    defineProperty(owner, key, { __proto__: null, get: broken, set: broken, configurable: true });
  }
"""

CHANGES: Final = {
    "methods deleted": every(_PROTOTYPES, "deleteProperty(owner, key);"),
    "methods of typed arrays deleted": every(_TYPED, "deleteProperty(owner, key);"),
    "methods throw": _THROWS + every(_PROTOTYPES, _NOT_CONSTRUCTOR + _BREAK),
    "methods of typed arrays throw": _THROWS + every(_TYPED, _NOT_CONSTRUCTOR + _BREAK),
    "methods of functions and promises throw": _THROWS
    + every("Function.prototype, Promise.prototype", _NOT_CONSTRUCTOR + _BREAK),
    "methods of objects throw": _THROWS
    + every("Object.prototype", "if (key === '__proto__') continue;" + _NOT_CONSTRUCTOR + _BREAK),
    "functions deleted": every(_STATICS, "deleteProperty(owner, key);"),
    "functions throw": _THROWS + every(_STATICS, _BREAK),
    "globals gone": every("globalThis", _KEEPS_NAMES + "deleteProperty(owner, key);"),
    "globals null": every(
        "globalThis",
        _KEEPS_NAMES
        + "defineProperty(owner, key, { __proto__: null, value: null, writable: true, configurable: true });",
    ),
    "iterators": """{
      const throwing = function () { throw new TypeError('polluted'); };
      Array.prototype[Symbol.iterator] = throwing;
      String.prototype[Symbol.iterator] = throwing;
      Object.getPrototypeOf([][Symbol.iterator] ? {} : {}).next = throwing;
      Map.prototype[Symbol.iterator] = throwing;
      Set.prototype[Symbol.iterator] = throwing;
    }""",
    "iterator of arrays deleted": "delete Array.prototype[Symbol.iterator];",
    "species": """{
      const throwing = { get() { throw new TypeError('polluted'); }, configurable: true };
      Object.defineProperty(Array, Symbol.species, throwing);
      Object.defineProperty(ArrayBuffer, Symbol.species, throwing);
      Object.defineProperty(Object.getPrototypeOf(Uint8Array), Symbol.species, throwing);
      Object.defineProperty(Promise, Symbol.species, throwing);
      Object.defineProperty(RegExp, Symbol.species, throwing);
      Array.prototype.constructor = ArrayBuffer.prototype.constructor = Uint8Array.prototype.constructor = 5;
    }""",
    "well-known symbols": """{
      const throwing = { value() { throw new TypeError('polluted'); }, configurable: true };
      for (const name of ['split', 'replace', 'match', 'matchAll', 'search']) {
        Object.defineProperty(String.prototype, Symbol[name], throwing);
        Object.defineProperty(RegExp.prototype, Symbol[name], throwing);
      }
      for (const type of [Array, ArrayBuffer, DataView, Date, Error, Map, Promise, Set, String, Uint8Array, GoError]) {
        Object.defineProperty(type, Symbol.hasInstance, throwing);
      }
      Object.prototype[Symbol.isConcatSpreadable] = true;
    }""",
    "toJSON": """{
      const throwing = { value() { throw new TypeError('polluted'); }, configurable: true };
      for (const type of [Object, Array, String, Number, Boolean, BigInt, Date, Function]) {
        Object.defineProperty(type.prototype, 'toJSON', throwing);
      }
    }""",
    "toJSON for good": "Object.defineProperty(Object.prototype, 'toJSON', { value() { return 'polluted'; } });",
    "descriptors": """{
      const { defineProperty } = Object;
      const names = ['get', 'set', 'value', 'writable', 'enumerable', 'configurable'];
      for (let i = 0; i < names.length; i += 1) {
        const value = i < 2 ? () => 'polluted' : 'polluted';
        defineProperty(Object.prototype, names[i], { __proto__: null, value, writable: true, configurable: true });
      }
    }""",
    "handlers of proxies": """{
      const { defineProperty } = Object;
      const names = ['apply', 'construct', 'getPrototypeOf', 'has', 'isExtensible', 'ownKeys', 'preventExtensions'];
      for (let i = 0; i < names.length; i += 1) {
        const value = function () { throw new TypeError('polluted'); };
        defineProperty(Object.prototype, names[i], { __proto__: null, value, writable: true, configurable: true });
      }
    }""",
    "setters of indices": """{
      const { defineProperty } = Object;
      for (let i = 0; i < 200; i += 1) {
        const set = () => { throw new TypeError('polluted'); };
        defineProperty(Object.prototype, i, { __proto__: null, set, configurable: true });
        defineProperty(Array.prototype, i, { __proto__: null, set, configurable: true });
      }
    }""",
    "values of indices": "for (let i = 0; i < 200; i += 1) Object.prototype[i] = 'polluted';",
    "setters of names": f"""{{
      const {{ defineProperty }} = Object;
      const names = {_NAMES!r};
      const kept = {{ __proto__: null, then: 1, start: 1, pull: 1, cancel: 1, stack: 1 }}; // k6 asks what scripts define
      for (let i = 0; i < names.length; i += 1) {{
        if (names[i] in Object.prototype || kept[names[i]]) continue;
        const set = () => {{ throw new TypeError('polluted'); }};
        defineProperty(Object.prototype, names[i], {{ __proto__: null, set, configurable: true }});
      }}
    }}""",
    "frozen": every("globalThis", "if (typeof descriptor.value === 'function') { Object.freeze(descriptor.value);"
            " if (descriptor.value.prototype) Object.freeze(descriptor.value.prototype); }"),
    "formats of stacks": "Error.prepareStackTrace = () => { throw 'mine'; }; Error.captureStackTrace = null;"
    " Error.stackTraceLimit = 0;",
    "prototype of arrays": "Object.setPrototypeOf(Array.prototype, null); Object.setPrototypeOf(Uint8Array.prototype, null);",
}  # fmt: skip


@pytest.fixture(scope="module")
def grpc_address() -> Iterator[str]:
    with ServerProcess() as server:
        yield server.variables["GRPC_ADDR"]


@pytest.fixture(scope="module")
def environment(
    site: Site, echo: str, grpc_address: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, ...]:
    """The flags that tell the script its servers and files."""
    folder = tmp_path_factory.mktemp("files")
    table = folder / "table.csv"
    table.write_text("name,size\none,1\ntwo,2\n")
    certificate = folder / "certificate.pem"
    trustme.CA().issue_cert("test.example").cert_chain_pems[0].write_to_path(str(certificate))
    values = {
        "WS": echo, "HTTP": site.http, "CSV": table, "CERTIFICATE": certificate, "OWN": "own",
        "GRPC": grpc_address, "PROTO": PROTO_FOLDER,
    }  # fmt: skip
    flags = [flag for name, value in values.items() for flag in ("-e", f"{name}={value}")]
    return (*flags, "--secret-source", "mock=one=hidden")


def outcome(run: Run, environment: tuple[str, ...], script: str) -> dict[str, object]:
    """Return the log of a run in its order, and its exit code."""
    done = run(script, *environment)
    return {"code": done.code, "stdout": done.stdout, "log": done.messages()}


@pytest.fixture(scope="module")
def expected(
    environment: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, object]:
    """The outcome where nothing was changed."""
    from running import Process

    process = Process(tmp_path_factory.mktemp("clean"), SCRIPT, environment, {}, (), -1).end()
    return {"code": process.code, "stdout": process.stdout, "log": process.messages()}


def test_the_script_uses_all_there_is(expected: dict[str, object]) -> None:
    """Each export of each module; and what it does works."""
    log = expected["log"]
    assert isinstance(log, list)
    assert expected["code"] == 110  # execution.test.fail
    assert expected["stdout"] == "summary 4 4 2"
    assert {line for line in log if " threw " in line or " rejected " in line} == {
        "fail threw on purpose",
        "unwrapKey rejected not implemented",
        "wrapKey rejected not implemented",
    }
    imports = dict(re.findall(r"^import (?:\* as )?(.*?) from '(k6.*?)';$", SCRIPT, re.MULTILINE))
    uses = re.sub(r"^import .*", "", SCRIPT, flags=re.MULTILINE)
    aliases = {specifier: name for name, specifier in imports.items()}
    folder = Path(registry.__file__).parent / "k6"
    for path in sorted(folder.rglob("*.js")):
        specifier = f"k6/{path.relative_to(folder).with_suffix('')}".removesuffix("/index").replace(
            "k6/index", "k6"
        )
        source = registry.source(specifier)
        if source is None or specifier == "k6/experimental/websockets":
            continue
        for name in builtins.exports(source) - {"default"}:
            if re.fullmatch(r"(TLS|OCSP)_\w+", name):
                continue
            assert re.search(rf"\b{name}\b", uses), (
                f"{aliases.get(specifier)}.{name} of {specifier} is not used"
            )


def without_grpc(outcome: dict[str, object]) -> dict[str, object]:
    log = outcome["log"]
    assert isinstance(log, list)
    return {**outcome, "log": [line for line in log if not line.startswith("gRPC ")]}


@pytest.mark.parametrize("place", PLACES, ids=["in init code", "in an iteration"])
@pytest.mark.parametrize("change", CHANGES)
def test_the_script_does_the_same(
    run: Run, environment: tuple[str, ...], expected: dict[str, object], change: str, place: str
) -> None:
    changed = outcome(run, environment, SCRIPT.replace(place, CHANGES[change]))
    if change.startswith("toJSON"):
        # As in k6, a request of gRPC is what its toJSON makes of it: these lines may differ.
        assert without_grpc(changed) == without_grpc(expected)
    else:
        assert changed == expected
