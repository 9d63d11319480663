"""The interpreter by the C API and without it: both behave alike."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.engine.interpreter import HostError, Interpreter, JSError, mend, supported

if TYPE_CHECKING:
    from collections.abc import Callable

PRELUDE = (
    "import { drainJobs, entries, host, pack, packText, release, unpack } from 'jsrunner:host';"
    "import { describe } from 'jsrunner:errors'; import { emit } from 'jsrunner:samples';\n"
)


def make(
    native: bool, modules: dict[str, str] | None = None, **operations: Callable[..., object]
) -> Interpreter:
    def load(name: str) -> str:
        return (modules or {})[name]

    named = {name.replace("__", ".").encode(): one for name, one in operations.items()}
    return Interpreter(named, load=load, normalize=lambda base, name: name, native=native)


@pytest.fixture(params=[True, False], ids=["native", "json"])
def native(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_the_c_api_works_here() -> None:
    assert supported()


def test_calls_both_ways(native: bool) -> None:
    said: list[object] = []
    interpreter = make(native, say=said.append, double=lambda x: x * 2)
    interpreter.run_module(
        PRELUDE
        + "entries.run = (a, b) => { host('say', [a, b]); return { twice: host('double', a) }; };",
        "main",
    )
    assert interpreter.call("run", 21, {"k": [None, True, "ü\0\u2028"]}) == {"twice": 42}
    assert said == [[21, {"k": [None, True, "ü\0\u2028"]}]]


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1.5,
        "",
        "ü" * 3000,
        [],
        {},
        None,
        True,
        "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    ],
)
def test_values_survive(native: bool, value: Any) -> None:
    interpreter = make(native)
    interpreter.run_module(PRELUDE + "entries.same = (value) => value;", "main")
    assert interpreter.call("same", value) == value


def test_half_of_a_surrogate_pair_becomes_a_replacement(native: bool) -> None:
    said: list[object] = []
    interpreter = make(native, say=said.append)
    interpreter.run_module(PRELUDE + "host('say', 'a\\ud83d');", "main")
    assert said == ["a\ufffd"]
    assert mend("a\ud83d".encode("utf-8", "surrogatepass")) == "a\ufffd".encode()


@given(st.binary(max_size=3000), st.text(max_size=1000))
@settings(max_examples=30)
def test_buffers_and_texts_beside_the_json(data: bytes, text: str) -> None:
    for native in (True, False):
        found: list[bytes] = []
        interpreter = make(
            native,
            take=lambda packed, packed_text, found=found: found.extend(  # type: ignore[misc]
                [interpreter.buffer(packed), interpreter.text(packed_text)]  # noqa: B023
            ),
            give=lambda: [interpreter.put_buffer(data), interpreter.put_text(text.encode())],  # noqa: B023
        )
        interpreter.run_module(
            PRELUDE
            + """
            const [buffer, text] = host('give').map(unpack);
            host('take', pack(buffer), packText(text));
            release();
            """,
            "main",
        )
        assert found == [data, text.encode()]


@pytest.mark.parametrize("kind", ["GoError", "TypeError", "RangeError", "SyntaxError", "Error"])
def test_errors_of_operations(native: bool, kind: str) -> None:
    def fail() -> None:
        raise HostError("what happened", kind, code=7)

    said: list[object] = []
    interpreter = make(native, fail=fail, say=said.append)
    interpreter.run_module(
        PRELUDE
        + """
        try { host('fail'); } catch (e) {
          host('say', [e.name, e.message, e instanceof Error, e.value?.code ?? null, String(e.value?.error() ?? '')]);
        }
        """,
        "main",
    )
    go = kind == "GoError"
    assert said == [[kind, "what happened", True, 7 if go else None, "what happened" if go else ""]]


def test_fault_of_ours_is_remembered(native: bool) -> None:
    fault = KeyError("oh")

    def fail() -> None:
        raise fault

    interpreter = make(native, fail=fail)
    interpreter.run_module(PRELUDE + "try { host('fail'); } catch {}", "main")
    assert interpreter.fault is fault


def test_failing_module(native: bool) -> None:
    with pytest.raises(JSError, match="TypeError: no"):
        make(native).run_module("throw new TypeError('no');", "file:///x.js")
    interpreter = make(native)
    with pytest.raises(JSError, match=r"x\.js"):
        interpreter.run_module("let a = ;", "file:///x.js")


def test_missing_module_keeps_the_loaders_error(native: bool) -> None:
    interpreter = make(native)
    with pytest.raises(JSError):
        interpreter.run_module("import 'gone';", "main")
    assert isinstance(interpreter.load_error, KeyError)


def test_failing_entry(native: bool) -> None:
    interpreter = make(native)
    interpreter.run_module(PRELUDE + "entries.fail = () => { throw new RangeError('far'); };", "main")
    with pytest.raises(JSError, match="RangeError: far"):
        interpreter.call("fail")


def test_stacks_are_written_as_k6_does(native: bool) -> None:
    said: list[str] = []
    interpreter = make(native, say=said.append)
    interpreter.run_module(
        PRELUDE
        + "function inner() { throw new Error('x'); }\nconst f = () => inner();\n"
        + "try { f(); } catch (e) { host('say', e.stack); host('say', describe(e)); host('say', describe('text')); }",
        "file:///a/b.js",
    )
    frames = "\n\tat inner (file:///a/b.js:2:"
    assert said[0].startswith(f"Error: x{frames}")
    assert "\n\tat f (file:///a/b.js:3:" in said[0]
    assert said[0].endswith("(0)\n")
    assert "jsrunner" not in said[0]
    assert said[1] == said[0]
    assert said[2] == "text"


@pytest.mark.parametrize(
    "name",
    [
        "call_python",
        "dukpy",
        "__incoming",
        "__outgoing",
        "__rejected",
        "__dispatch",
        "performance",
        "queueMicrotask",
    ],
)
def test_what_scripts_do_not_see(native: bool, name: str) -> None:
    said: list[object] = []
    interpreter = make(native, say=said.append)
    interpreter.run_module(PRELUDE + f"entries.look = () => typeof {name};", "main")
    assert interpreter.call("look") == "undefined"
    assert interpreter.call("look") == "undefined"


def test_jobs_and_rejections() -> None:
    said: list[object] = []
    interpreter = make(True, say=said.append)
    interpreter.run_module(
        PRELUDE
        + """
        entries.start = () => {
          Promise.resolve(1).then((value) => host('say', value));
          Promise.reject('nobody');
          Promise.reject('handled').catch(() => {});
          const later = Promise.reject('later');
          Promise.resolve().then(() => later.catch(() => host('say', 'caught')));
        };
        """,
        "main",
    )
    interpreter.call("start")
    assert interpreter.work_pending()
    assert interpreter.native is not None
    assert interpreter.native.run_jobs()
    assert said == [1, "caught"]
    assert len(interpreter.native.rejections) == 1


def test_interrupt_is_for_good() -> None:
    interpreter = make(True, say=lambda _: None)
    interpreter.run_module(
        PRELUDE + "entries.run = () => { for (;;) { try { host('say', 1); } catch {} } };", "main"
    )
    interpreter.interrupt()
    for _ in range(2):
        with pytest.raises(JSError, match="interrupted"):
            interpreter.call("run")


@pytest.mark.parametrize(
    "source",
    [
        "(() => { const a = []; for (;;) a.push(new Array(1000).fill(1)); })();",
        "(function f() { f(); })();",
    ],
)
def test_limits(source: str) -> None:
    said: list[str] = []
    interpreter = make(True, say=said.append)
    interpreter.run_module(
        PRELUDE + f"try {{ {source} }} catch (e) {{ host('say', String(e?.message)); }}", "file:///x"
    )
    # Where there is no memory left for an error, QuickJS throws null.
    assert said[0] in ("out of memory", "undefined", "Maximum call stack size exceeded")


def test_an_interpreter_is_freed(native: bool) -> None:
    interpreter = make(native)
    interpreter.run_module(PRELUDE + "const kept = []; entries.keep = () => kept.push(1);", "main")
    interpreter.call("keep")
    watch = weakref.ref(interpreter)
    del interpreter
    gc.collect()
    assert watch() is None


def test_interpreters_that_ran_out_of_memory_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """QuickJS would end the process where it has lost track of an object."""
    monkeypatch.setattr("jsrunner.engine.interpreter.MEMORY_BYTES", 32 << 20)
    for size in (900, 937, 974, 1011):
        interpreter = make(True)
        with pytest.raises(JSError):
            interpreter.run_module(
                f"const a = []; for (;;) a.push(new Array({size}).fill(1));", "file:///x"
            )
        watch = weakref.ref(interpreter)
        del interpreter
        gc.collect()
        assert watch() is None
