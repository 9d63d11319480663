"""The VUs of a process: their distribution to scenarios, and the errors if none is free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent
import pytest
from waiting import DEADLINE

from jsrunner.errors import JsrunnerError
from jsrunner.worker.vus import VUPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from running import Process


def test_the_vu_that_waits_longest_is_taken_first() -> None:
    pool: Any = VUPool(pytest.fail)
    for vu in ("a", "b"):
        pool.give_back(vu)
    assert len(pool) == 2
    assert pool.take() == "a"
    pool.give_back("a")
    assert (pool.take(), pool.take(), len(pool)) == ("b", "a", 0)


def test_who_finds_none_gets_the_next_that_is_given_back() -> None:
    pool: Any = VUPool(pytest.fail)
    waiting = [gevent.spawn(pool.take) for _ in range(3)]
    gevent.idle()
    pool.give_back("a")
    pool.give_back("b")
    gevent.idle()
    assert sorted(one.value for one in waiting if one.ready()) == ["a", "b"]
    pool.give_back("c")
    gevent.joinall(waiting, timeout=DEADLINE)
    assert sorted(one.value for one in waiting) == ["a", "b", "c"]
    assert len(pool) == 0


@pytest.mark.slow
def test_who_finds_none_for_long_is_refused() -> None:
    warnings: list[str] = []
    with pytest.raises(JsrunnerError, match="could not get a VU from the buffer in 2s"):
        VUPool(warnings.append).take()
    prefix = "Could not get a VU from the buffer for "
    assert warnings == [prefix + time for time in ("400ms", "800ms", "1.2s", "1.6s", "2s")]


#: An extension whose operation catches its interruption.
STUBBORN = """
import time
import gevent
from jsrunner.modules.base import HostModule, operation

class Stubborn(HostModule):
    specifier = "k6/x/stubborn"

    @operation
    def hold(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                gevent.sleep(0.05)
            except BaseException:
                pass
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "executor",
    [
        "executor: 'ramping-vus', startVUs: 1, stages: [{ duration: '1s', target: 1 }]",
        "executor: 'constant-vus', duration: '1s'",
        "executor: 'constant-arrival-rate', rate: 1, duration: '1s', preAllocatedVUs: 1",
    ],
)
def test_scenario_that_cannot_start_a_vu_ends_the_test(
    run: Callable[..., Process], tmp_path: Path, executor: str
) -> None:
    """From the notes of k6 2.3: ramping-vus that cannot start a VU ends the test with an error."""
    site = tmp_path / "site"
    about = site / "stubborn-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stubborn\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[jsrunner.modules]\nk6/x/stubborn = stubborn\n")
    (site / "stubborn.py").write_text(STUBBORN)
    (site / "stubborn.js").write_text(
        "import { host } from 'jsrunner:host'; export const hold = (s) => host('x_stubborn.hold', s);"
    )
    done = run(
        f"""
        import {{ hold }} from 'k6/x/stubborn';
        export const options = {{ scenarios: {{
          holds: {{ executor: 'constant-vus', duration: '1s', gracefulStop: '0s' }},
          late: {{ {executor}, startTime: '1s', exec: 'late' }},
        }} }};
        export default function () {{ hold(6); }}
        export function late() {{}}
        export function teardown() {{ console.log('teardown'); }}
        """,
        env={"PYTHONPATH": str(site)},
    )
    assert done.code == 255
    assert done.messages("warning")[:2] == [
        "Could not get a VU from the buffer for 400ms",
        "Could not get a VU from the buffer for 800ms",
    ]
    assert done.messages("info") == ["teardown"]
    assert done.messages("error") == ["could not get a VU from the buffer in 2s"]
