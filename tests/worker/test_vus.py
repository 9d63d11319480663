"""The VUs of a process: their distribution to scenarios, and the errors if none is free."""

from __future__ import annotations

import json
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


#: What a script sees of the modules and the globals, as one line for each VU.
VIEW = """
import k6, { check, group, randomSeed } from 'k6';
import crypto from 'k6/crypto';
import { SharedArray } from 'k6/data';
import encoding from 'k6/encoding';
import exec from 'k6/execution';
import { parseHTML } from 'k6/html';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';
import { ReadableStream } from 'k6/experimental/streams';
import { setTimeout } from 'k6/timers';

const counter = new Counter('counter');
const shared = new SharedArray('shared', () => [{ a: 1 }, { a: 2 }]);
let own = 0;

export default async function () {
  own += 1;
  randomSeed(7);
  const names = (object) => Object.keys(object).sort().join();
  let timer = false;
  await new Promise((resolve) => { setTimeout(() => { timer = true; resolve(); }, 1); });
  const view = [
    own, Math.random(), shared[1].a, crypto.sha256('x', 'hex'), encoding.b64encode('xyz'), timer,
    parseHTML('<p class="a">text</p>').find('p.a').text(), JSON.stringify(exec.vu).replace(/[\\d.]+/g, ''),
    JSON.stringify(exec.scenario).replace(/[\\d.]+/g, ''), names(http), names(ws), names(k6), names(exec.test.options),
    names(globalThis), new http.CookieJar() instanceof http.CookieJar, __ENV.ONE, typeof __VU, typeof Trend,
    group('g', () => check(1, { one: (n) => n === 1 })), JSON.stringify(new Map([[{}, 1]])), WebSocket.OPEN,
    new ReadableStream() instanceof ReadableStream, new TextEncoder().encode('ä').length,
  ];
  console.log(JSON.stringify(view));
}
"""


def test_many_vus_see_what_one_sees(run: Callable[..., Process]) -> None:
    """With many VUs each begins as a copy of the template."""
    views = []
    for count in (1, 12):
        script = f"export const options = {{ scenarios: {{ s: {{ executor: 'per-vu-iterations', vus: {count} }} }} }};"
        done = run(script + VIEW, "-e", "ONE=1")
        assert done.messages("error") == []
        lines = done.messages("info")
        assert len(lines) == count
        views.append(set(lines))
    assert len(views[0]) == 1
    assert views[1] == views[0]


@pytest.mark.parametrize("size", [1, 60_000])
def test_each_of_many_vus_has_an_environment_of_its_own(run: Callable[..., Process], size: int) -> None:
    """Large environments are no part of the template."""
    values = {
        "T_QUOTES": "'\"`\\", "T_LINES": "a\n\u2028b", "T_CODE": "${x}", "__proto__": "p", "T_LONG": "x" * size,
        "T_LONGER": "y" * size,
    }  # fmt: skip
    script = """
        export const options = { scenarios: { s: { executor: 'per-vu-iterations', vus: 8, iterations: 2 } } };
        const names = Object.keys(__ENV).filter((name) => name.startsWith('T_') || name === '__proto__').sort();
        const shown = names.map((name) => [name, __ENV[name]]);
        export default function () {
          __ENV.T_OWN = (__ENV.T_OWN ?? '') + __VU;
          delete __ENV.T_CODE;
          console.log(JSON.stringify([shown, __ENV.T_OWN, 'T_CODE' in __ENV]));
        }
    """
    flags = [flag for name, value in values.items() for flag in ("-e", f"{name}={value}")]
    done = run(script, *flags)
    lines = [json.loads(line) for line in done.messages("info")]
    assert len(lines) == 16
    assert all(shown == [[name, values[name]] for name in sorted(values)] for shown, _, _ in lines)
    assert sorted(own for _, own, _ in lines) == sorted(
        str(vu) * n for vu in range(1, 9) for n in (1, 2)
    )
    assert not any(has for _, _, has in lines)
