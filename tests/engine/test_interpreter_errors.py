"""Errors between JavaScript and Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.engine.errors import HostError, JSError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU


@pytest.mark.parametrize("kind", ["GoError", "TypeError", "RangeError", "SyntaxError", "Error"])
def test_errors_of_operations(make_vu: Callable[..., VU], kind: str) -> None:
    def fail() -> None:
        raise HostError("what happened", kind, code=7, name="N")

    vu = make_vu(
        """
        entries.run = () => {
          try { host('fail'); } catch (e) {
            return [e.name, e.message, e instanceof Error, e.value?.code ?? null, String(e.value?.error() ?? '')];
          }
        };
        """,
        operations={"fail": fail},
    )
    is_go = kind == "GoError"
    expected = [kind, "what happened", True, 7 if is_go else None, "what happened" if is_go else ""]
    assert vu.call("run") == expected
    assert vu.faults == []


def test_named_errors() -> None:
    error = HostError.named("OperationError", "no")
    assert (str(error), error.fields) == (
        "OperationError: no",
        {"name": "OperationError", "message": "no"},
    )


def test_texts_of_errors_may_be_any(make_vu: Callable[..., VU]) -> None:
    def fail(text: str) -> None:
        raise HostError(text)

    vu = make_vu(
        "entries.run = (t) => { try { host('fail', t); } catch (e) { return e.message; } };",
        operations={"fail": fail},
    )
    assert vu.call("run", "ü\0" * 9000) == "ü\0" * 9000
    vu._named["fail"] = lambda _: (_ for _ in ()).throw(HostError("a\ud83d"))
    vu.interpreter.operations.clear()
    assert vu.call("run", "") == "a\ufffd"


def test_a_fault_of_ours_is_told_and_is_an_exception_of_the_script(make_vu: Callable[..., VU]) -> None:
    fault = KeyError("oh")

    def fail() -> None:
        raise fault

    vu = make_vu(
        "entries.run = () => { try { host('fail'); } catch (e) { return [e.name, e.message]; } };",
        operations={"fail": fail},
    )
    assert vu.call("run") == ["Error", "jsrunner: KeyError: 'oh'"]
    assert vu.faults == [fault]


def test_operations_that_nobody_has(make_vu: Callable[..., VU]) -> None:
    vu = make_vu("entries.run = () => { try { host('gone.away'); } catch (e) { return e.name; } };")
    assert [vu.call("run"), vu.call("run")] == ["Error", "Error"]
    assert [type(one) for one in vu.faults] == [KeyError, KeyError]


def test_wrong_arguments_are_a_fault(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = () => { try { host('one', 1, 2, 3); } catch (e) { return e.message; } };",
        operations={"one": lambda x: x},
    )
    assert vu.call("run").startswith("jsrunner: TypeError:")


def test_results_that_have_no_message_are_a_fault(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = () => { try { host('odd'); } catch (e) { return e.message; } };",
        operations={"odd": lambda: object()},
    )
    assert vu.call("run").startswith("jsrunner: TypeError:")


def test_failing_modules(make_vu: Callable[..., VU]) -> None:
    vu = make_vu()
    with pytest.raises(JSError, match="TypeError: no"):
        vu.evaluate("throw new TypeError('no');", "file:///x.js")
    with pytest.raises(JSError, match=r"x\.js"):
        vu.evaluate("let a = ;", "file:///x.js")
    with pytest.raises(JSError, match="later"):
        vu.evaluate("await null; throw new Error('later');", "file:///x.js")


def test_missing_module_keeps_the_loaders_error(make_vu: Callable[..., VU]) -> None:
    vu = make_vu()

    def load(name: str) -> str:
        raise KeyError(name)

    vu.interpreter._load = load
    with pytest.raises(JSError, match="gone"):
        vu.evaluate("import 'gone';", "file:///x.js")
    assert isinstance(vu.interpreter.load_error, KeyError)


def test_a_specifier_that_means_no_module_keeps_the_error(make_vu: Callable[..., VU]) -> None:
    vu = make_vu()

    def normalize(base: str, name: str) -> str:
        raise ValueError(f"{name} from {base}")

    vu.interpreter._normalize = normalize
    with pytest.raises(JSError, match=r"odd from file:///x\.js"):
        vu.interpreter.evaluate("import 'odd';", "file:///x.js")
    assert isinstance(vu.interpreter.load_error, ValueError)


def test_failing_entry(make_vu: Callable[..., VU]) -> None:
    vu = make_vu("entries.fail = (kind) => { throw kind === 'error' ? new RangeError('far') : kind; };")
    with pytest.raises(JSError, match="RangeError: far"):
        vu.call("fail", "error")
    for value, text in (("text", "text"), (None, "null"), (5, "5")):
        with pytest.raises(JSError, match=f"^{text}$"):
            vu.call("fail", value)


def test_exceptions_whose_text_cannot_be_had(make_vu: Callable[..., VU]) -> None:
    vu = make_vu("""
        entries.symbol = () => { throw Symbol('s'); };
        entries.toString = () => { throw { toString() { throw new Error('again'); } }; };
        entries.stack = () => {
          const error = new Error('x');
          Object.defineProperty(error, 'stack', { get() { throw error; } });
          throw error;
        };
        entries.proxy = () => { throw new Proxy({}, { get() { throw 1; } }); };
        entries.fine = () => 'fine';
    """)
    for name in ("symbol", "toString", "stack", "proxy"):
        with pytest.raises(JSError):
            vu.call(name)
    assert vu.call("fine") == "fine"


def test_stacks_are_written_as_k6_does(make_vu: Callable[..., VU]) -> None:
    vu = make_vu("import 'jsrunner:language';")
    vu.interpreter.evaluate(
        "import { entries } from 'jsrunner:host'; import { describe } from 'jsrunner:errors';\n"
        "function inner() { throw new Error('x'); }\nconst f = () => inner();\n"
        "entries.stack = () => { try { f(); } catch (e) { return [e.stack, describe(e), describe('text')]; } };",
        "file:///a/b.js",
    )
    stack, described, text = vu.call("stack")
    assert stack.startswith("Error: x\n\tat inner (file:///a/b.js:2:")
    assert "\n\tat f (file:///a/b.js:3:" in stack
    assert stack.endswith("(0)\n")
    assert "jsrunner" not in stack
    assert described == stack
    assert text == "text"


@pytest.mark.parametrize(
    "name",
    [
        "call_python",
        "dukpy",
        "host",
        "core",
        "entries",
        "std",
        "os",
        "print",
        "scriptArgs",
        "navigator",
    ],
)
def test_what_scripts_do_not_see(make_vu: Callable[..., VU], name: str) -> None:
    vu = make_vu("import 'jsrunner:primordials'; import 'jsrunner:language';")
    vu.interpreter.evaluate(
        "import { entries } from 'jsrunner:host'; const look = new Function('return typeof ' + "
        f"{name!r}); entries.look = () => look();",
        "file:///x.js",
    )
    assert vu.call("look") == "undefined"
