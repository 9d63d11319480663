"""The interpreter's Python interface: operations, their answers, the end of an interpreter."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from core_vu import ARRIVALS, ASKING, DEADLINE, IDLE, VU, Supply, until

from jsrunner.engine.engine import ARRIVAL, decode
from jsrunner.engine.errors import HostError, Interrupted
from jsrunner.engine.interpreter import encode_value

if TYPE_CHECKING:
    from collections.abc import Callable


# -- operations ------------------------------------------------------------------------------------------


def test_operations_are_found_once(make_vu: Callable[..., VU]) -> None:
    asked: list[str] = []
    vu = make_vu("entries.run = () => [host('twice', 2), host('twice', 'ab'), host('twice', [1])];")

    def find(name: str) -> Callable[[Any], Any]:
        asked.append(name)
        return lambda value: value * 2

    vu.interpreter.find_operation = find
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
    vu.interpreter.find_operation = lambda name: lambda: name
    for name in names:
        assert vu.call("run", name) == name


def slow(seconds: float, value: object) -> object:
    gevent.sleep(seconds)
    return value


slow.is_blocking = True  # type: ignore[attr-defined]


def test_blocking_operations_let_others_run(make_vu: Callable[..., VU]) -> None:
    """The first operation waits for the end of the second one."""
    is_over = gevent.event.Event()

    def wait() -> None:
        is_over.wait()

    wait.is_blocking = True  # type: ignore[attr-defined]
    first = make_vu("entries.run = () => host('wait');", operations={"wait": wait})
    second = make_vu("entries.run = () => host('slow', 0, 'soon');", operations={"slow": slow})
    calls = [first.start("run"), second.start("run")]
    assert calls[1].get(timeout=DEADLINE) == "soon"
    assert not calls[0].ready()
    is_over.set()
    assert calls[0].get(timeout=DEADLINE) is None


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
    """This holds each time, also after operations that ended by themselves; nothing is written to stderr."""
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
    """Any greenlet may answer at any time; late and repeated answers are dropped."""
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


# -- the end ---------------------------------------------------------------------------------------------


@pytest.mark.slow
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
