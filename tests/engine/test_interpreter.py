"""One VU's JavaScript as Python sees it: values, errors, operations of all kinds, commands."""

from __future__ import annotations

import gc
import math
import weakref
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from core_vu import ARRIVALS, ASKING, DEADLINE, IDLE, VU, Supply, until
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.engine.engine import ARRIVAL, decode
from jsrunner.engine.errors import HostError, Interrupted, JSError
from jsrunner.engine.interpreter import encode_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAME = "entries.same = (value) => value;"


@pytest.fixture(scope="module")
def same() -> Iterator[VU]:
    """An interpreter that returns what it gets."""
    vu = VU(SAME)
    yield vu
    vu.close()


# -- values ------------------------------------------------------------------------------------------

NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.binary(max_size=200)),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(TEXTS, inner, max_size=6)),
    max_leaves=30,
)


@given(VALUES)
def test_values_survive(same: VU, value: Any) -> None:
    assert same.call("same", value) == value


@given(st.lists(VALUES, max_size=8))
def test_arguments_survive(same: VU, values: list[Any]) -> None:
    same.evaluate("entries.all = (...all) => all;")
    assert same.call("all", *values) == values


@pytest.mark.parametrize(
    "value",
    [0, -1.5, "", "ü" * 3000, "\0\u2028", [], {}, None, True, b"", bytes(1 << 20), "x" * (1 << 20)],
)
def test_single_values_survive(same: VU, value: Any) -> None:
    assert same.call("same", value) == value


def test_numbers_that_python_has_too(same: VU) -> None:
    assert math.isnan(same.call("same", math.nan))
    assert same.call("same", math.inf) == math.inf
    assert math.copysign(1, same.call("same", -0.0)) == -1
    assert isinstance(same.call("same", 3.0), int)


def test_nothing_is_none_both_ways(same: VU) -> None:
    same.evaluate(
        "entries.nothing = () => {}; entries.look = (a) => [a === null, typeof host('nothing')];"
    )
    same._named["nothing"] = lambda: None
    assert same.call("nothing") is None
    assert same.call("look", None) == [True, "undefined"]


@given(st.text(max_size=30))
def test_halves_of_surrogate_pairs_become_replacements(same: VU, text: str) -> None:
    """On the way in and on the way out, in keys too."""
    mended = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert same.call("same", [text, {text: text}]) == [mended, {mended: mended}]


def test_halves_that_javascript_makes(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = () => { say('a\\ud83d'); say('\\ud83d' + '\\ude00'); return 'b\\ude00'; };"
    )
    assert vu.call("run") == "b\ufffd"
    assert vu.said == ["a\ufffd", "\U0001f600"]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("new Uint8Array([1, 2, 3]).subarray(1)", b"\2\3"),
        ("new DataView(new ArrayBuffer(3), 1)", b"\0\0"),
        ("new ArrayBuffer(0)", b""),
        ("10n ** 30n", str(10**30)),
        ("2n ** 62n", 2**62),
        ("[1, , undefined, () => {}, Symbol('x')]", [1, None, None, None, None]),
        ("({ a: undefined, b: () => {}, c: null, get d() { return 4; } })", {"c": None, "d": 4}),
        ("new Date(0)", {}),
        ("new Map([[1, 2]])", {}),
        ("Object.create({ inherited: 1 })", {}),
        ("new (class { own = 1; #hidden = 2; })()", {"own": 1}),
        ("new Proxy({ a: 1 }, {})", {"a": 1}),
        ("new String('text')", {str(index): one for index, one in enumerate("text")}),
        ("JSON.parse('{\"__proto__\": 1}')", {"__proto__": 1}),
    ],
)
def test_what_python_sees_of_objects(make_vu: Callable[..., VU], source: str, seen: object) -> None:
    vu = make_vu(f"entries.run = () => {{ say({source}); return {source}; }};")
    assert vu.call("run") == seen
    assert vu.said == [seen]


def test_keys_are_own_properties(same: VU) -> None:
    """Whatever their names are, and whatever the script has made of Object.prototype."""
    same.evaluate("""
        entries.look = (value) => {
          Object.defineProperty(Object.prototype, 'x', { set() { throw new Error('setter'); }, configurable: true });
          try {
            return [Object.keys(value), Object.getPrototypeOf(value) === Object.prototype, value.x];
          } finally { delete Object.prototype.x; }
        };
    """)
    assert same.call("look", {"__proto__": 1, "x": 2}) == [["__proto__", "x"], True, 2]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("const a = []; a.push(a); return a;", "TypeError"),
        ("let a = []; for (let i = 0; i < 2000; i += 1) a = [a]; return a;", "TypeError"),
        ("return { get x() { throw new RangeError('getter'); } };", "RangeError: getter"),
        ("return new Proxy({}, { ownKeys() { throw new RangeError('trap'); } });", "RangeError: trap"),
        ("const b = new ArrayBuffer(1); b.transfer(); return b;", "TypeError"),
    ],
)
def test_values_that_cannot_cross(make_vu: Callable[..., VU], source: str, text: str) -> None:
    """They are exceptions of whoever gives them."""
    vu = make_vu(
        f"const make = () => {{ {source} }}; entries.give = make;"
        "entries.ask = () => { try { say(make()); } catch (error) { return String(error); } };"
    )
    with pytest.raises(JSError, match=text):
        vu.call("give")
    assert text in vu.call("ask")
    assert vu.said == []


# -- errors ------------------------------------------------------------------------------------------


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


# -- operations --------------------------------------------------------------------------------------


def test_operations_are_found_once(make_vu: Callable[..., VU]) -> None:
    asked: list[str] = []
    vu = make_vu("entries.run = () => [host('twice', 2), host('twice', 'ab'), host('twice', [1])];")

    def find(name: str) -> Callable[[Any], Any]:
        asked.append(name)
        return lambda value: value * 2

    vu.interpreter._find_operation = find
    assert vu.call("run") == [4, "abab", [1, 1]]
    assert asked == ["twice"]


def test_arguments_may_ask_for_something_themselves(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = () => host('sum', host('sum', 1, 2), { get x() { return host('sum', 3, 4); } }.x,"
        "  { get y() { return host('sum', 5, 6); } });",
        operations={"sum": lambda *all: sum(one["y"] if isinstance(one, dict) else one for one in all)},
    )
    assert vu.call("run") == 21


def test_names_of_operations_may_be_any(make_vu: Callable[..., VU]) -> None:
    names = ["", "ü", "a" * 5000, *(f"operation {number}" for number in range(2000))]
    vu = make_vu("entries.run = (name) => host(name);")
    vu.interpreter._find_operation = lambda name: lambda: name
    for name in names:
        assert vu.call("run", name) == name


def slow(seconds: float, value: object) -> object:
    gevent.sleep(seconds)
    return value


slow.is_blocking = True  # type: ignore[attr-defined]


def test_blocking_operations_let_others_run(make_vu: Callable[..., VU]) -> None:
    source = "entries.run = (seconds, value) => host('slow', seconds, value);"
    first, second = (make_vu(source, operations={"slow": slow}) for _ in range(2))
    order: list[object] = []
    calls = [first.start("run", 0.05, "late"), second.start("run", 0.0, "soon")]
    for one in calls:
        one.link(lambda call: order.append(call.value))
    gevent.joinall(calls, timeout=DEADLINE)
    until(lambda: len(order) == 2)
    assert order == ["soon", "late"]


def test_blocking_operations_one_after_the_other(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = (count) => { let sum = 0;"
        "  for (let i = 0; i < count; i += 1) sum += host('slow', 0, i); return sum; };",
        operations={"slow": slow},
    )
    assert [vu.call("run", 100), vu.call("run", 3)] == [4950, 3]


def test_errors_of_blocking_operations(make_vu: Callable[..., VU]) -> None:
    def fail() -> None:
        gevent.sleep(0)
        raise HostError("no", "RangeError")

    fail.is_blocking = True  # type: ignore[attr-defined]
    vu = make_vu(
        "entries.run = () => { try { host('fail'); } catch (e) { return String(e); } };",
        operations={"fail": fail},
    )
    assert [vu.call("run"), vu.call("run")] == ["RangeError: no"] * 2


class Endless:
    """A blocking operation that never ends by itself."""

    is_blocking = True

    def __init__(self) -> None:
        self.begun = self.ended = 0

    def __call__(self) -> None:
        self.begun += 1
        try:
            gevent.sleep(1e6)
        finally:
            self.ended += 1


@pytest.mark.parametrize("moment", ["at once", "when it has begun"])
def test_a_blocking_operation_ends_with_its_command(
    make_vu: Callable[..., VU], capfd: pytest.CaptureFixture[str], moment: str
) -> None:
    """Each time, also after others that ended by themselves; and nothing is written to stderr."""
    endless = Endless()
    vu = make_vu(
        "entries.run = () => host('endless'); entries.slow = () => host('slow', 0, 1);",
        operations={"endless": endless, "slow": slow},
    )
    for count in range(1, 6):
        calling = vu.start("run")
        gevent.sleep(0)
        assert vu.state == ASKING
        if moment != "at once":
            until(lambda count=count: endless.begun == count)
        vu.interpreter.interrupt()
        assert isinstance(calling.get(timeout=DEADLINE), Interrupted)
        until(lambda: endless.ended == endless.begun)
        if count % 2:
            assert vu.call("slow") == 1
    assert moment == "at once" or endless.begun == 5
    assert capfd.readouterr().err == ""


def test_operations_answered_later(make_vu: Callable[..., VU]) -> None:
    """By whoever, whenever; answers that come too late or twice are dropped."""
    asked: list[int] = []
    vu = make_vu(
        "entries.run = () => [core.nextIteration(), core.nextIteration()];",
        deferred={ARRIVAL: asked.append},
    )
    Supply(ARRIVALS).give(vu)
    calling = vu.start("run")
    until(lambda: len(asked) == 1)
    vu.interpreter.reply(asked[0] - 1, True)
    assert vu.state == ASKING
    vu.interpreter.reply(asked[0], True)
    until(lambda: len(asked) == 2)
    vu.interpreter.reply(asked[0], True)
    assert vu.state == ASKING
    vu.interpreter.reply(asked[1], False)
    assert calling.get(timeout=DEADLINE) == [0, None]
    vu.interpreter.reply(asked[1], True)
    assert vu.state == IDLE


def test_an_operation_can_end_the_command(make_vu: Callable[..., VU]) -> None:
    def stop() -> None:
        raise Interrupted

    vu = make_vu(
        "let caught = false; entries.caught = () => caught;"
        "entries.run = () => { for (;;) { try { host('stop'); } catch { caught = true; } } };",
        operations={"stop": stop},
    )
    with pytest.raises(Interrupted):
        vu.call("run")
    assert vu.call("caught") is False


def test_an_operation_may_interrupt_another_vu(make_vu: Callable[..., VU]) -> None:
    other = make_vu("entries.sleep = () => core.sleep(1e9);")
    vu = make_vu(
        "entries.run = () => host('stop');", operations={"stop": lambda: other.interpreter.interrupt()}
    )
    sleeping = other.start("sleep")
    until(lambda: other.state != IDLE)
    vu.call("run")
    assert isinstance(sleeping.get(timeout=DEADLINE), Interrupted)


def test_an_operation_may_interrupt_its_own_vu(make_vu: Callable[..., VU]) -> None:
    vu = make_vu("entries.run = () => { host('stop'); return 1; }; entries.two = () => 2;")
    vu._named["stop"] = lambda: vu.interpreter.interrupt()
    with pytest.raises(Interrupted):
        vu.call("run")
    assert vu.call("two") == 2


def test_posts_reach_listeners(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = () => { const seen = [];"
        "  loop.listen(7, (payload) => { seen.push(payload); if (payload === null) loop.forget(7); });"
        "  loop.settle(() => {}); return seen; };"
    )
    calling = vu.start("run")
    until(lambda: vu.state != IDLE)
    for payload in ("a", {"b": [1]}, b"c", "\ud800", None):
        vu.interpreter.post(7, payload)
    assert calling.get(timeout=DEADLINE) == ["a", {"b": [1]}, b"c", "\ufffd", None]


# -- the end -----------------------------------------------------------------------------------------


def test_an_interpreter_is_freed(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "const kept = []; entries.keep = () => kept.push(host('slow', 0, 1));",
        operations={"slow": slow},
    )
    vu.call("keep")
    vu.close()
    watch = weakref.ref(vu.interpreter)
    vu.interpreter = None
    gevent.sleep(0)
    gc.collect()
    assert watch() is None


def test_a_closed_interpreter_hears_nothing(make_vu: Callable[..., VU]) -> None:
    vu = make_vu()
    vu.close()
    vu.interpreter.interrupt()
    with pytest.raises(RuntimeError):
        vu.call("x")


def test_encoded_values_are_messagepack() -> None:
    assert decode(encode_value([1, "a\ud800", {"\udfff": (None, b"x")}])) == [
        1,
        "a\ufffd",
        {"\ufffd": [None, b"x"]},
    ]
