"""engine/loop.js: promises of modules, work aside, and the end of what has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from core_vu import DEADLINE, VU, WAITING, until

if TYPE_CHECKING:
    from collections.abc import Callable

NOTES = """
import { GoError } from 'jsrunner:errors';
const order = [];
const note = (...values) => order.push(values.length === 1 ? values[0] : values);
const settle = () => loop.settle((reason) => note('rejected', String(reason)));
"""


def order_of(make_vu: Callable[..., VU], source: str, **more: Any) -> list[Any]:
    vu = make_vu(f"{NOTES} entries.run = () => {{ {source}\n return order; }};", **more)
    order: list[Any] = vu.call("run")
    return order


def test_promises_of_modules_settle_by_tasks(make_vu: Callable[..., VU]) -> None:
    assert order_of(
        make_vu,
        """
        const failing = (kind) => () => { throw kind; };
        loop.promised(() => 1).then(note);
        loop.promised(failing(new TypeError('t'))).catch((error) => note(error.message));
        loop.promised(() => Promise.resolve(3)).then(note);
        Promise.resolve().then(() => note('job'));
        note('sync'); settle();
        """,
    ) == ["sync", "job", 3, 1, "t"]


def test_of_k6s_errors_the_value_is_the_reason(make_vu: Callable[..., VU]) -> None:
    assert order_of(
        make_vu,
        "const look = (reason) => note(reason.error(), reason instanceof Error);"
        "loop.promised(() => { throw new GoError('thrown'); }).catch(look);"
        "loop.promised(() => Promise.reject(new GoError('rejected'))).catch(look); settle();",
    ) == [["rejected", False], ["thrown", False]]


@pytest.mark.parametrize(
    ("payload", "noted"), [([None, "value"], "value"), ([["text", {"a": 1}], None], ["text", 1])]
)
def test_work_aside(make_vu: Callable[..., VU], payload: object, noted: object) -> None:
    vu = make_vu(
        NOTES
        + "entries.run = () => { loop.aside('begin', 'x').then(note, (error) => note(error.error(), error.a));"
        "  settle(); note(loop.hasWork()); return order; };",
        operations={"begin": lambda argument: 5},
    )
    running = vu.start("run")
    until(lambda: vu.state == WAITING)
    vu.interpreter.post(5, payload)
    assert running.get(timeout=DEADLINE) == [noted, False]


def test_work_aside_that_cannot_begin(make_vu: Callable[..., VU]) -> None:
    assert order_of(
        make_vu,
        "loop.aside('gone').catch((error) => note(error.name)); settle();",
    ) == ["Error"]


def test_what_has_failed_waits_for_nothing_more(make_vu: Callable[..., VU]) -> None:
    assert order_of(
        make_vu,
        "loop.addTimer(() => note('timer'), 5, -1, loop.TIMEOUT); loop.addTimer(() => {}, 5, 5, loop.INTERVAL);"
        "loop.listen(1, () => note('event')); loop.queueTask(() => note('task'));"
        "note(loop.abandon()); note(loop.hasWork()); settle();",
    ) == [["setTimeout 1", "setInterval 2"], False]


def test_what_closes_then_is_waited_for(make_vu: Callable[..., VU]) -> None:
    """As sockets that are open are closed when an iteration fails; what that throws is not told."""
    assert order_of(
        make_vu,
        "loop.onFailure(() => { note('closing'); loop.addTimer(() => note('closed'), 3, -1, loop.OWN); });"
        "loop.onFailure(() => { loop.queueTask(() => { throw new Error('late'); }); });"
        "note(loop.abandon());",
    ) == ["closing", []]
    assert order_of(
        make_vu,
        "loop.onFailure(() => { note('closing'); loop.addTimer(() => note('closed'), 3, -1, loop.OWN); });"
        "note(loop.abandon());",
    ) == ["closing", "closed", []]
