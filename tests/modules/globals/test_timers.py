"""setTimeout and its kin (k6-surface TI-01 to TI-08)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from in_process import Stage

if TYPE_CHECKING:
    from pathlib import Path


def run(tmp_path: Path, body: str) -> Stage:
    return Stage(
        tmp_path, f"export async function setup() {{ {body} }} export default function () {{}}"
    ).run()


def test_order_arguments_and_this(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        const ids = [];
        ids.push(setTimeout((...args) => console.log('20', args), 20, 'a', 'b'));
        ids.push(setTimeout(() => console.log('first 0'), 0));
        ids.push(setTimeout(() => console.log('second 0'), -5));
        ids.push(setTimeout(function () { console.log('nothing', this === globalThis); }));
        ids.push(setInterval(() => {}, 5));
        clearTimeout(ids.at(-1));
        clearInterval('nonsense');
        clearTimeout(12345);
        Promise.resolve().then(() => console.log('job'));
        console.log('sync', ids.every((id, at) => Number.isInteger(id) && id > 0 && (!at || id === ids[at - 1] + 1)));
        """,
    )
    assert stage.failure is None
    assert stage.logged() == [
        "sync true",
        "job",
        "first 0",
        "second 0",
        "nothing true",
        '20 [ "a", "b" ]',
    ]


def test_interval_and_await(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        let count = 0;
        await new Promise((resolve) => {
          const id = setInterval(() => { if (++count === 3) { clearInterval(id); resolve(); } }, 1);
        });
        console.log(count);
        """,
    )
    assert stage.logged() == ["3"]


def test_arguments_that_are_refused(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        for (const value of [undefined, null, 1, 'code']) {
          for (const name of ['setTimeout', 'setInterval']) {
            try { globalThis[name](value, 1); } catch (error) { console.log(error.name, error.message); }
          }
        }
        """,
    )
    text = "could not convert function call parameter 0: could not convert {} to sobek.Callable"
    assert stage.logged() == [
        *["GoError setTimeout's callback isn't a callable function",
          "GoError setInterval's callback isn't a callable function"] * 2,
        *["TypeError " + text.format("1")] * 2,
        *["TypeError " + text.format("code")] * 2,
    ]  # fmt: skip


def test_failure_drops_the_others(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        setTimeout(() => console.log('never'), 50);
        setTimeout(() => { throw new Error('in a timer'); }, 1);
        """,
    )
    assert stage.failure is not None
    assert stage.failure.startswith("Error: in a timer\n\tat ")
    assert stage.logged() == []
    assert stage.logged("warning") == []  # setup() is no iteration
