"""A VU: its commands, its making and freeing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from core_vu import IDLE, SLEEPING, VU, until

from jsrunner.engine.errors import JSError

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_command_at_a_time(vu: VU) -> None:
    vu.evaluate("entries.sleep = () => core.sleep(1e9);")
    calling = vu.start("sleep")
    until(lambda: vu.state == SLEEPING)
    with pytest.raises(RuntimeError, match="busy"):
        vu.call("whole")
    vu.interpreter.interrupt()
    calling.get()
    assert vu.state == IDLE
    assert vu.call("whole") == ["quick", "job", "timer", "task"]


def _resident_bytes() -> int:
    """Return how much memory of this process is in use, exactly."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return int(rollup.split("Rss:")[1].split()[0]) << 10


#: Uses more than 1 MB of the stack.
_DEEP = "const deep = (n) => n && 1 + deep(n - 1); const use = () => deep(2000);"


def test_an_idle_vu_gives_its_stack_back(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(_DEEP + "entries.use = use;")
    assert vu.call("use") == 2000
    before = _resident_bytes()
    vu.interpreter.rest()
    assert before - _resident_bytes() > 1 << 19
    assert vu.call("use") == 2000


def test_a_vu_that_stays_parked_gives_its_stack_back(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(_DEEP + "entries.use = () => { const n = use(); core.sleep(1e9); return n; };")
    calling = vu.start("use")
    until(lambda: vu.state == SLEEPING)
    before = _resident_bytes()
    vu.library.core_trim_parked()
    assert before - _resident_bytes() < 1 << 19, "it may have been parked just now"
    vu.library.core_trim_parked()
    assert before - _resident_bytes() > 1 << 19
    vu.interpreter.interrupt()
    calling.get()
    assert vu.state == IDLE


def test_an_unknown_command_is_an_error(vu: VU) -> None:
    with pytest.raises(JSError, match="TypeError: not a function"):
        vu.call("nothing")


def test_at_most_eight_arguments(vu: VU) -> None:
    vu.evaluate("entries.count = (...all) => all;")
    assert vu.call("count", *range(8)) == list(range(8))
    assert vu.call("count", *range(9)) == list(range(8))


def test_vus_are_made_and_freed(make_vu: Callable[..., VU]) -> None:
    """The number of a freed one is used again."""
    first = make_vu()
    index = first.index
    first.close()
    for _ in range(100):
        vu = make_vu("entries.one = () => 1;")
        assert vu.index == index
        assert vu.call("one") == 1
        vu.close()


def test_a_vu_is_freed_with_all_that_it_holds(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "const session = core.createSession(() => session, false);"
        "loop.addTimer(() => session, 1e6, 1, 1); loop.listen(3, () => session); loop.queueTask(() => {});"
        "Promise.reject(session); globalThis.session = session; core.createSession(() => {}, true);"
        "entries.last = () => new ArrayBuffer(1e6);"
    )
    vu.call("last")
    vu.close()
    vu.close()
    assert vu.state in (0, IDLE)
