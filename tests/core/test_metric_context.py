"""Metric contexts: which numbers of tags and metadata are current while asynchronous code runs."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.engine.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU

#: `enter(tags, metadata)` changes the context, `note(name)` notes it under a name.
PROLOGUE = """
const { bindContext } = core;
const notes = [];
const enter = (tags, metadata = -1) => host('enter', tags, metadata);
const note = (name) => { notes.push([name, ...host('context')]); };
const settle = () => loop.settle((reason) => notes.push(['rejected', String(reason)]));
const delay = (time) => new Promise((resolve) => loop.addTimer(resolve, time, -1, loop.TIMEOUT));
"""


class Scene:
    """A VU whose context the test's JavaScript changes and reads."""

    def __init__(self, make_vu: Callable[..., VU], source: str, *, tracks: bool) -> None:
        self.vu: Any = None
        operations: dict[str, Callable[..., object]] = {"enter": self.enter, "context": self.context}
        self.vu = make_vu(tracks_contexts=tracks, operations=operations)
        self.enter(0, 0)
        self.vu.evaluate(f"{PROLOGUE} entries.run = () => {{ {source}\n settle(); return notes; }};")

    def enter(self, tags: int, metadata: int) -> None:
        self.vu.library.core_vu_tags(self.vu.index, tags, metadata)

    def context(self) -> list[int]:
        numbers = (ctypes.c_int32 * 2)()
        self.vu.library.core_vu_context(self.vu.index, numbers)
        return list(numbers)


@pytest.fixture
def notes_of(make_vu: Callable[..., VU]) -> Callable[..., list[list[Any]]]:
    """Run JavaScript in a VU, by default one that tracks contexts, and return what it has noted."""

    def notes_of(source: str, *, tracks: bool = True) -> list[list[Any]]:
        scene = Scene(make_vu, source, tracks=tracks)
        notes: list[list[Any]] = scene.vu.call("run")
        return notes

    return notes_of


CHAINS = """
const chain = async (number) => {
  enter(number, number);
  for (let i = 0; i < 3; i += 1) { await i; note('await'); enter(number + 10 * (i + 1), number); }
};
chain(1); chain(2); enter(9, 9); note('caller');
"""


def test_chains_of_awaits_keep_their_contexts(notes_of: Callable[..., Any]) -> None:
    notes = [["caller", 9, 9]]
    for step in (0, 10, 20):
        notes += [["await", 1 + step, 1], ["await", 2 + step, 2]]
    assert notes_of(CHAINS) == notes


def test_without_tracking_there_is_a_single_context(notes_of: Callable[..., Any]) -> None:
    notes = notes_of(CHAINS, tracks=False)
    assert notes[:3] == [["caller", 9, 9], ["await", 9, 9], ["await", 11, 1]]
    assert notes_of("note(bindContext(enter) === enter);", tracks=False)[0][0] is True


def test_the_context_is_that_of_the_await_and_not_of_the_call(notes_of: Callable[..., Any]) -> None:
    assert notes_of(
        "const wait = async () => { enter(1); await delay(1); note('resumed'); };"
        "const outer = async () => { const waits = wait(); enter(2); await waits; note('outer'); };"
        "outer(); enter(3);"
    ) == [["resumed", 1, -1], ["outer", 2, -1]]


@pytest.mark.parametrize(
    "awaited",
    [
        "1",
        "Promise.resolve()",
        "delay(2)",
        "{ then(resolve) { resolve(); } }",
        "(async () => { await 1; })()",
    ],
)
def test_whatever_is_awaited(notes_of: Callable[..., Any], awaited: str) -> None:
    assert notes_of(
        f"(async () => {{ enter(1, 2); await ({awaited}); note('here'); }})(); enter(3, 4);"
    ) == [["here", 1, 2]]


def test_rejections_are_caught_in_the_context_of_the_await(notes_of: Callable[..., Any]) -> None:
    assert notes_of(
        "const fails = async () => { enter(5); await delay(1); throw new Error('x'); };"
        "(async () => { enter(1); const waits = fails(); enter(2);"
        "  try { await waits; } catch { note('caught'); } })(); enter(3);"
    ) == [["caught", 2, -1]]


def test_rejections_that_nobody_handles_are_told(notes_of: Callable[..., Any]) -> None:
    assert notes_of("(async () => { enter(2); await Promise.reject('x'); })();") == [["rejected", "x"]]


def test_for_await_and_generators_within(notes_of: Callable[..., Any]) -> None:
    assert notes_of(
        "const walk = async (number) => { enter(number);"
        "  for await (const one of [delay(number), number]) note('step'); };"
        "walk(1); walk(2); enter(9);"
    ) == [["step", 1, -1], ["step", 1, -1], ["step", 2, -1], ["step", 2, -1]]


def test_reactions_run_in_the_context_of_their_registration(notes_of: Callable[..., Any]) -> None:
    assert notes_of(
        "let release; const gate = new Promise((resolve) => { release = resolve; });"
        "enter(1); gate.then(() => { note('first'); enter(7); }).finally(() => note('finally'));"
        "enter(2); gate.then(() => { throw 0; }).catch(() => note('caught'));"
        "enter(3); gate.then(() => note('all'), null); enter(4); release(); note('end');"
        "Promise.all([gate, delay(1)]).then(() => note('both')); enter(5);"
    ) == [
        ["end", 4, -1], ["first", 1, -1], ["all", 3, -1], ["finally", 1, -1], ["caught", 2, -1],
        ["both", 4, -1],
    ]  # fmt: skip


def test_a_task_finds_the_context_that_it_has_interrupted(notes_of: Callable[..., Any]) -> None:
    assert notes_of(
        "enter(1); const bound = bindContext((a, b) => { note(a + b); enter(2); return a; });"
        "enter(3, 3); note(bound('x', 'y')); note('after');"
        "const fails = bindContext(() => { enter(4); throw new Error('thrown'); });"
        "try { fails(); } catch (error) { note(error.message); }"
    ) == [["xy", 1, -1], ["x", 3, 3], ["after", 3, 3], ["thrown", 3, 3]]


def test_bound_functions_look_like_functions(notes_of: Callable[..., Any]) -> None:
    assert notes_of(
        """
        const bound = bindContext(function () { return this; });
        note(typeof bound); note(bindContext(undefined)); note(bindContext(1));
        note(Reflect.apply(bound, 5, []) == 5);
        note(Promise.prototype.then.name + Promise.prototype.then.length);
        note(Object.keys(Promise.prototype).length);
        try { Promise.prototype.then.call(1); } catch (error) { note(error.name); }
        """
    ) == [[value, 0, 0] for value in ("function", None, 1, True, "then2", 0, "TypeError")]


def test_functions_that_never_go_on_cost_little(make_vu: Callable[..., VU]) -> None:
    scene = Scene(
        make_vu,
        "const hang = async (number) => { enter(number); await new Promise(() => {}); };"
        "for (let i = 0; i < 5000; i += 1) hang(i);"
        "(async () => { enter(7); await delay(1); note('still'); })(); enter(8);",
        tracks=True,
    )
    for _ in range(3):
        assert scene.vu.call("run")[-1] == ["still", 7, -1]
    assert scene.vu.memory < 4 << 20


@pytest.mark.slow
def test_bound_functions_are_collected(make_vu: Callable[..., VU]) -> None:
    scene = Scene(
        make_vu,
        "for (let i = 0; i < 20000; i += 1) {"
        "  const knot = {}; knot.self = bindContext(() => knot); Promise.resolve(knot).then(() => knot); }",
        tracks=True,
    )
    for _ in range(5):
        scene.vu.call("run")
    assert scene.vu.memory < 16 << 20


def test_an_interruption_leaves_contexts_fit_for_use(make_vu: Callable[..., VU]) -> None:
    scene = Scene(
        make_vu,
        "(async () => { enter(1); await null; enter(2); for (;;) await null; })(); enter(3);",
        tracks=True,
    )
    for _ in range(3):
        with pytest.raises(Interrupted):
            scene.vu.call("run", within=0.05)
        assert scene.context() == [3, -1]
    scene.vu.evaluate(
        f"{PROLOGUE} entries.again = () => {{ (async () => {{ enter(5); await null; note('on'); }})();"
        "enter(6); settle(); return notes; };",
        "file:///again.js",
    )
    assert scene.vu.call("again") == [["on", 5, -1]]
