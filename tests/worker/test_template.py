"""The template of a worker: VUs that begin as its copies are like others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

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
