"""The watchdog: VUs in slow built-in functions end soon after their deadline, and hold up no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent
import pytest
from core_vu import DEADLINE, VU

from jsrunner.engine.errors import Interrupted, JSError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Loops of slow calls that hardly ever poll for interrupts. One call takes some 10 ms: with the engine's own polling, after
#: 10,000 calls, a loop would run for minutes. A call must end well within STUCK (watchdog.c) even on a busy machine.
SLOW = {
    "indexOf": "const s = 'x'.repeat(3e6); for (;;) s.indexOf('y');",
    "indexOf that is caught": "const s = 'x'.repeat(3e6); for (;;) { try { s.indexOf('y'); } catch {} }",
    "lastIndexOf": "const s = 'a'.repeat(3e6); for (;;) s.lastIndexOf('b'.repeat(100));",
    "native callback": "const s = 'x'.repeat(1e6); for (;;) new Array(1e5).fill('y').forEach(s.indexOf, s);",
    "replaceAll": "const s = 'a'.repeat(1e5); for (;;) s.replaceAll('a', 'bb');",
    "repeat": "for (;;) 'xy'.repeat(5e5);",
    "padStart": "for (;;) 'x'.padStart(3e6, 'ab');",
    "JSON.stringify, nested": "let a = []; for (let i = 0; i < 5e4; i++) a = [a]; for (;;) JSON.stringify(a);",
    "JSON.stringify, wide": "const a = new Array(1e5).fill({ a: 1 }); for (;;) JSON.stringify(a);",
    "JSON.parse": "const s = `[${'1,'.repeat(1e5)}1]`; for (;;) JSON.parse(s);",
    "sort": "const a = Array.from({ length: 1e5 }, (_, i) => (i * 7919) % 1000003); for (;;) a.slice().sort();",
    "comparator": "const a = Array.from({ length: 1e5 }, (_, i) => -i); for (;;) a.slice().sort((x, y) => x - y);",
    "BigInt": "for (;;) 3n ** 100000n;",
    "typed array": "const a = new Uint8Array(3e7); for (;;) a.indexOf(1);",
    "regexp": "for (;;) /^(a+)+$/.test('a'.repeat(40) + 'b');",
    "eval": "const s = `${'1+'.repeat(1e5)}1`; for (;;) eval(s);",
}

#: Single calls that never poll for interrupts.
STUCK = {
    "indexOf": "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);",
    "indexOf that is caught": """
        for (;;) { try { Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1); } catch {} }""",
    "holes": "for (;;) new Array(2 ** 32 - 1).indexOf(1);",
    "in a job": "return Promise.resolve().then(() => new Array(2 ** 32 - 1).indexOf(1));",
    "in a timer": "loop.addTimer(() => new Array(2 ** 32 - 1).indexOf(1), 0, -1, 0);",
    "with sessions": """
        kept.session = core.createSession(() => {}, false);
        kept.other = core.createSession(() => {}, true);
        loop.addTimer(() => {}, 1e6, 1e6, 1); loop.listen(3, () => {}); loop.queueTask(() => {});
        Promise.reject(1);
        new Array(2 ** 32 - 1).indexOf(1);""",
}

HARNESS = """
globalThis.kept = {};
entries.whole = () => {
  const order = [];
  loop.addTimer(() => order.push('timer'), 0, -1, 0);
  Promise.resolve().then(() => order.push('job'));
  core.sleep(0);
  loop.settle(() => {});
  return order;
};
"""


def define(body: str) -> str:
    return (
        HARNESS + f"entries.run = () => {{ {body} }}; entries.settle = () => loop.settle(() => {{}});"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_slow_built_ins_are_interrupted(make_vu: Callable[..., VU], name: str) -> None:
    """The VU keeps its state."""
    vu = make_vu(define(SLOW[name]))
    with pytest.raises(Interrupted):
        vu.call("run", within=0.2)
    assert not vu.interpreter.is_lost
    assert vu.call("whole") == ["job", "timer"]


@pytest.mark.slow
def test_slow_built_ins_let_others_run(make_vu: Callable[..., VU]) -> None:
    """They are also interrupted from outside."""
    vu, other = make_vu(define(SLOW["indexOf"])), make_vu("entries.sleep = () => core.sleep(1);")
    calling = vu.start("run")
    for _ in range(5):
        other.call("sleep")
    vu.interpreter.interrupt()
    assert isinstance(calling.get(timeout=DEADLINE), Interrupted)
    assert vu.call("whole") == ["job", "timer"]


@pytest.mark.slow
@pytest.mark.parametrize("name", STUCK)
def test_built_ins_that_do_not_end_cost_the_interpreter(make_vu: Callable[..., VU], name: str) -> None:
    vu = make_vu(define(STUCK[name]))
    calling = gevent.spawn(lambda: (vu.call("run", within=0.1), vu.call("settle", within=0.1)))
    with pytest.raises(Interrupted):
        calling.get(timeout=DEADLINE)
    assert vu.interpreter.is_lost
    assert vu.interpreter.was_stuck
    assert vu.memory == 0
    with pytest.raises(JSError):
        vu.call("whole")
    vu.evaluate(HARNESS)
    assert vu.call("whole") == ["job", "timer"]
    assert vu.library.core_sessions_open() == 0
    vu.close()


@pytest.mark.slow
def test_several_are_stuck(make_vu: Callable[..., VU]) -> None:
    vus = [make_vu(define(STUCK["indexOf"])) for _ in range(3)]
    other = make_vu("entries.sleep = () => core.sleep(1);")

    def stick(vu: VU) -> None:
        with pytest.raises(Interrupted):
            vu.call("run", within=0.1)

    stuck = [gevent.spawn(stick, vu) for vu in vus]
    while not all(one.ready() for one in stuck):
        other.call("sleep")
    gevent.joinall(stuck, raise_error=True)
    assert all(vu.interpreter.was_stuck for vu in vus)
