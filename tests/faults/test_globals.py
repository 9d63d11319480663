"""Scripts that change the language's own objects: k6's modules work on, as they do in Go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

    Run = Callable[..., Process]

#: Uses what most scripts use, itself without a method that could have been taken away.
SCRIPT = """
import { check, group, sleep } from 'k6';
import crypto from 'k6/crypto';
import { SharedArray } from 'k6/data';
import encoding from 'k6/encoding';
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import ws from 'k6/ws';

const counter = new Counter('own_counter');
const trend = new Trend('own_trend', true);
const buffer = new ArrayBuffer(3);
const wait = function (resolve) { setTimeout(resolve, 5, 'waited'); };
const P = Promise;

%s;

const shared = new SharedArray('shared', function () { return [{ a: 1 }, { a: 2 }]; });
export const options = { iterations: 2, thresholds: { own_counter: ['count==4'] } };
export function setup() { return { a: [1, 'x', { b: 2 }] }; }
export default async function (data) {
  exec.vu.metrics.tags.key = 'value';
  const params = { tags: { t: 'x' }, headers: { 'X-A': 'b' } };
  const response = ws.connect(__ENV.URL, params, function (socket) {
    socket.on('open', function () { socket.send('hello'); socket.sendBinary(buffer); });
    socket.on('message', function (text) {
      console.log('message', text, { a: [1, undefined, 'y'], b: null });
      if (text === 'later') socket.ping();
    });
    socket.on('binaryMessage', function (bytes) {
      console.log('binary', bytes.byteLength);
      socket.setTimeout(function () { socket.send('later'); }, 5);
    });
    socket.on('pong', function () { socket.close(1000); });
    socket.on('close', function (code) { console.log('close', code); });
  });
  check(response, { 'is 101': function (r) { return r.status === 101; } }, { own: 'tag' });
  group('group', function () { counter.add(1, { own: 'tag' }); trend.add(5); });
  const timer = setInterval(function () { clearInterval(timer); counter.add(true); }, 1);
  console.log(await new P(wait));
  sleep(0.001);
  console.log(encoding.b64encode('hi'), crypto.sha256('x', 'hex'), shared[1].a, shared.length,
    data.a[2].b, exec.vu.idInTest, exec.scenario.name, exec.vu.metrics.tags.key, exec.test.options.iterations);
  if (__ITER === 1) throw 'on purpose';
}
export function teardown(data) { console.log('teardown', data.a[1]); }
export function handleSummary(data) {
  return { stdout: 'own ' + data.metrics.own_counter.values.count + ' ' + data.metrics.checks.values.passes };
}
"""


#: The log of one iteration.
ITERATION = [
    'message hello { a: [ 1, null, "y" ], b: null }',
    "binary 3",
    'message later { a: [ 1, null, "y" ], b: null }',
    "close 1000",
    "waited",
    "aGk= 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 2 2 2 1 default value undefined",
]


def without(*prototypes: str) -> str:
    """Delete all methods of these objects (QuickJS's template literals call `concat`)."""
    listed = ", ".join(prototypes)
    return f"""{{
      const all = [{listed}];
      const {{ ownKeys, deleteProperty }} = Reflect;
      for (let i = 0; i < all.length; i += 1) {{
        const names = ownKeys(all[i]);
        for (let j = 0; j < names.length; j += 1) {{
          if (names[j] !== 'constructor' && names[j] !== 'concat') deleteProperty(all[i], names[j]);
        }}
      }}
    }}"""


def nothing(*names: str) -> str:
    return "; ".join(f"globalThis.{name} = null" for name in names)


@pytest.mark.parametrize(
    "change",
    [
        "",
        "Object.prototype.x = 1; Object.prototype.y = { a: [1] }; Array.prototype.z = () => 1",
        without("Array.prototype"),
        without("String.prototype", "Number.prototype", "Boolean.prototype", "Symbol.prototype"),
        without("Object", "Array", "String", "Number", "Math", "JSON", "Reflect", "Date", "Promise"),
        without("Object.prototype", "Map.prototype", "Set.prototype", "WeakMap.prototype"),
        without("Error", "Error.prototype", "GoError.prototype", "ArrayBuffer", "Function.prototype"),
        "Array.prototype[Symbol.iterator] = String.prototype[Symbol.iterator] = function () { throw 'mine'; }",
        nothing(
            "Object", "Array", "String", "Number", "Boolean", "Symbol", "Function", "BigInt", "Promise"
        )
        + ";"
        + nothing("Proxy", "Reflect", "JSON", "Math", "Map", "Set", "WeakMap", "Date", "globalThis"),
        nothing(
            "Error", "TypeError", "RangeError", "SyntaxError", "GoError", "ArrayBuffer", "Uint8Array"
        ),
        "Error.prepareStackTrace = () => { throw 'mine'; }; Error.captureStackTrace = null",
        "Object.prototype.then = null; Object.prototype.length = 7; Object.prototype.value = 1;"
        "Object.prototype.get = () => 5; Object.prototype.set = null; Object.prototype.enumerable = false",
    ],
    ids=lambda change: change[:60],
)
def test_changed_globals(run: Run, echo: str, change: str) -> None:
    """The script does the same as with no change."""
    done = run(SCRIPT % change, "-e", f"URL={echo}")
    assert done.code == 0
    assert done.stdout == "own 4 2"
    assert done.messages() == [*ITERATION, *ITERATION, "Uncaught (in promise) on purpose", "teardown x"]
