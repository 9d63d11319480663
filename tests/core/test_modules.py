"""Loading of modules: from Python or from bytecode, also in the middle of running code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.engine.engine import process_engine
from jsrunner.engine.errors import Interrupted, JSError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU


# -- imports -----------------------------------------------------------------------------------------


def test_a_module_is_loaded_once_per_vu(make_vu: Callable[..., VU]) -> None:
    modules = {
        "a": "import 'b'; import 'c'; globalThis.log.push('a');",
        "b": "import 'c'; globalThis.log.push('b');",
        "c": "globalThis.log ??= []; globalThis.log.push('c');",
    }
    vu = make_vu("import 'a'; import 'b'; entries.log = () => log;", modules=modules)
    assert vu.call("log") == ["c", "b", "a"]
    vu.evaluate("await import('a'); log.push('main');")
    assert vu.call("log") == ["c", "b", "a", "main"]


def test_a_specifier_means_what_python_says(make_vu: Callable[..., VU]) -> None:
    """Python is asked once for each importer and specifier, for all VUs together."""
    asked: list[tuple[str, str]] = []

    def normalize(base: str, name: str) -> str:
        if not name.startswith("./"):
            return name
        asked.append((base, name))
        return base.rpartition("/")[0] + name[1:]

    modules = {
        "file:///lib/one.js": "export { two } from './two.js';",
        "file:///lib/two.js": "export const two = 2;",
    }
    for _ in range(3):
        vu = make_vu(modules=modules)
        vu.interpreter._normalize = normalize
        vu.evaluate("import { two } from './lib/one.js'; entries.two = () => two;")
        assert vu.call("two") == 2
    assert asked == [("file:///test.js", "./lib/one.js"), ("file:///lib/one.js", "./two.js")]


def test_vus_that_follow_read_what_the_first_has_compiled(make_vu: Callable[..., VU]) -> None:
    source = "import { f } from 'lib'; import 'jsrunner:own'; entries.run = () => [f(), own(), `${f}`, `${own}`];"
    modules = {
        "lib": "export const f = () => new Error('x').stack.includes('lib');",
        "jsrunner:own": "globalThis.own = () => typeof new Error('x').stack;",
    }
    first = make_vu(source, modules=modules)
    second = make_vu(source, modules=dict.fromkeys(modules, "throw new Error('loaded again');"))
    text = "() => new Error('x').stack.includes('lib')"
    assert first.call("run")[:3] == second.call("run")[:3] == [True, "string", text]
    # A module of jsrunner's keeps no source text.
    assert "native code" in second.call("run")[3]


def test_names_and_texts_may_be_any(make_vu: Callable[..., VU]) -> None:
    name = "file:///" + "ü" * 3000
    vu = make_vu(
        f"import text from {name!r}; entries.text = () => text;",
        modules={name: f"export default {'ü' * 100_000!r};"},
    )
    assert vu.call("text") == "ü" * 100_000


def test_modules_may_import_each_other(make_vu: Callable[..., VU]) -> None:
    modules = {
        "even": "import { odd } from 'odd'; export const even = (n) => n === 0 || odd(n - 1);",
        "odd": "import { even } from 'even'; export const odd = (n) => n !== 0 && even(n - 1);",
    }
    vu = make_vu("import { even } from 'even'; entries.even = even;", modules=modules)
    assert [vu.call("even", number) for number in range(3)] == [True, False, True]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("export const ;", "SyntaxError"),
        ("import { gone } from 'fine';", "SyntaxError"),
        ("throw new RangeError('thrown');", "RangeError: thrown"),
        ("import 'missing';", "missing"),
        ("import 'jsrunner:core'; import { gone } from 'jsrunner:core';", "SyntaxError"),
    ],
)
def test_modules_that_fail(make_vu: Callable[..., VU], text: str, error: str) -> None:
    """The importer gets the exception; the VU goes on."""
    vu = make_vu("entries.fine = () => 'fine';", modules={"bad": text, "fine": "export const x = 1;"})
    load = vu.interpreter._load
    vu.interpreter._load = lambda name: {}[name] if name == "missing" else load(name)
    for _ in range(2):
        with pytest.raises(JSError, match=error):
            vu.evaluate("import 'bad';")
    vu.evaluate(
        "entries.why = async () => { try { await import('bad'); } catch (e) { say(String(e)); } };"
    )
    vu.evaluate("entries.why2 = () => { entries.why(); loop.settle(() => {}); };")
    vu.call("why2")
    assert error in vu.said[0]
    assert vu.call("fine") == "fine"


def test_compiled_modules_and_others_go_together(make_vu: Callable[..., VU]) -> None:
    engine = process_engine()
    assert engine.compile(
        "compiled", "import { n } from 'loaded'; export const twice = n * 2;", is_script=True
    )
    vu = make_vu(modules={"loaded": "export const n = 21;"})
    engine.compile(
        "compiled", "import { n } from 'loaded'; export const twice = n * 2;", is_script=True
    )
    vu.evaluate("import { twice } from 'compiled'; entries.twice = () => twice;")
    assert vu.call("twice") == 42


def test_compiled_modules_hold_no_vu_alive(make_vu: Callable[..., VU]) -> None:
    """An engine that counts a reference too many would end the process when it is freed."""
    engine = process_engine()
    for number in range(30):
        vu = make_vu()
        engine.compile(
            "compiled", "export const big = () => new Array(1000).fill(1);", is_script=bool(number % 2)
        )
        vu.evaluate("import { big } from 'compiled'; entries.size = () => big().length;")
        assert vu.call("size") == 1000
        vu.close()


def test_own_imports_of_compiled_modules(make_vu: Callable[..., VU]) -> None:
    """`import()` needs the module's name, which only those without it go without."""
    engine = process_engine()
    vu = make_vu(modules={"late": "export const late = 1;"})
    engine.compile("compiled", "export const load = () => import('late');", is_script=False)
    vu.evaluate(
        "import { load } from 'compiled'; let late; entries.run = () => {"
        "  load().then((module) => { late = module.late; }); loop.settle(() => {}); return late; };"
    )
    assert vu.call("run") == 1


# -- in the middle of running code -------------------------------------------------------------------

SOURCES = {
    "late": "import 'deeper'; globalThis.late = 1; export const value = 'v';",
    "deeper": "globalThis.deeper = 2;",
    "bad": "throw new Error('no');",
    "worse": "Promise.reject(new Error('unhandled')); throw new Error('no');",
    "endless": "for (;;) {}",
    "waits": "await null; export const x = 1;",
}
NOW = "const now = (text, name) => core.importNow(text, name, (error, wasLinked) => { throw [String(error), wasLinked]; });"


def test_modules_are_evaluated_without_promise_jobs(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        NOW
        + """
        entries.run = () => {
          const order = [];
          Promise.resolve().then(() => order.push('job'));
          const { value } = now("export * from 'late';", 'load/1');
          order.push(value, globalThis.late, globalThis.deeper);
          globalThis.late = 'once';
          now("import 'late';", 'load/2');
          order.push(globalThis.late);
          loop.settle(() => {});
          return order;
        };
        """,
        modules=SOURCES,
    )
    assert vu.call("run") == ["v", 1, 2, "once", "job"]


@pytest.mark.parametrize(
    ("specifier", "text", "was_linked"),
    [
        ("bad", "Error: no", True),
        ("worse", "Error: no", True),
        ("no syntax", "SyntaxError", False),
        ("missing", "KeyError", False),
    ],
)
def test_why_a_module_failed(
    make_vu: Callable[..., VU], specifier: str, text: str, was_linked: bool
) -> None:
    """Each time; the failure is not also a rejection that nobody handles."""
    modules = {**SOURCES, "no syntax": "let let;"}
    vu = make_vu(
        NOW
        + """
        entries.run = (specifier) => {
          try { now(`import '${specifier}';`, `load/${specifier}`); } catch (thrown) { return thrown; }
        };
        entries.rejected = () => { const seen = []; loop.settle((reason) => seen.push(String(reason))); return seen; };
        """,
        modules=modules,
    )
    load = vu.interpreter._load

    def refuse(name: str) -> str:
        if name == "missing":
            raise KeyError(name)
        return load(name)

    vu.interpreter._load = refuse
    for _ in range(3):
        thrown, linked = vu.call("run", specifier)
        assert linked is was_linked
        assert text in thrown or specifier in thrown
    assert vu.call("rejected") == (["Error: unhandled"] if specifier == "worse" else [])


def test_an_evaluation_is_interrupted(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(NOW + "entries.run = () => now(\"import 'endless';\", 'load/endless'); entries.one = () => 1;",
                 modules=SOURCES)  # fmt: skip
    with pytest.raises(Interrupted):
        vu.call("run", within=0.02)
    assert vu.call("one") == 1
    with pytest.raises(JSError, match="interrupted"):  # it is not evaluated again
        vu.call("run")
