// Calls functions of all modules, and methods of what they return, with values that nobody expects. CALLS says what is
// called with what: [place, [[number of the target, numbers of the values ...] ...]] for each iteration.
import * as k6 from 'k6';
import * as crypto_ from 'k6/crypto';
import * as x509 from 'k6/crypto/x509';
import * as data from 'k6/data';
import * as encoding from 'k6/encoding';
import execution from 'k6/execution';
import * as csv from 'k6/experimental/csv';
import * as fs from 'k6/experimental/fs';
import * as streams from 'k6/experimental/streams';
import * as html from 'k6/html';
import * as http from 'k6/http';
import * as metrics from 'k6/metrics';
import secrets from 'k6/secrets';
import * as timers from 'k6/timers';
import * as websockets from 'k6/websockets';
import ws from 'k6/ws';

const calls = JSON.parse(open(__ENV.CALLS));

export const options = {
  scenarios: {
    hostile: { executor: 'per-vu-iterations', vus: 1, iterations: calls.length, exec: 'hostile', maxDuration: '50s', gracefulStop: '0s' },
    peaceful: { executor: 'per-vu-iterations', vus: 1, iterations: 20, exec: 'peaceful', maxDuration: '50s' },
  },
  noConnectionReuse: true,
  setupTimeout: '50s',
  teardownTimeout: '50s',
};

// -- values ----------------------------------------------------------------------------------------------

const boom = () => {
  throw new Error('boom');
};
const traps = {};
for (const name of Object.getOwnPropertyNames(Reflect)) if (typeof Reflect[name] === 'function') traps[name] = boom;
const cycle = [1];
cycle.push(cycle);
const ring = { a: 1 };
ring.self = ring;
let deep = [];
for (let i = 0; i < 3000; i += 1) deep = [deep];
const detached = new ArrayBuffer(8);
const overDetached = new Uint8Array(detached);
detached.transfer();
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const badError = new Error('bad');
Object.defineProperty(badError, 'stack', { get: boom });
const badMessage = new Error();
Object.defineProperty(badMessage, 'message', { get: boom });

const values = [
  undefined, null, true, false, 0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, 1e20, 1e30, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 32,
  2 ** 53, -(2 ** 63), 65536, 1001, 10n, -1n, 2n ** 80n, Symbol('s'), Symbol.iterator,
  '', ' ', 'x', '\0', 'a\0b', '\ud800', 'x\udfff', '\n', 'constructor', '__proto__', 'x'.repeat(70000), 'é'.repeat(3000), '🎉', '%',
  'http://127.0.0.1:99999/', 'ws://127.0.0.1:99999/', 'ws://[::1', 'http://\ud800/', 'ws://x\0y/', '1e30', '-5s', '{', '[[[', '<p>',
  'body:not(', '((((((', '2'.repeat(400), 'sha256', 'hex', 'message', 'AES-GCM', 'raw',
  __ENV.HTTP, __ENV.WS, `${__ENV.HTTP}/status/500`, `${__ENV.WS}/close?code=1011`, `${__ENV.WS}/badframe`,
  {}, [], [1, 2], [undefined], [, 1], new Array(5000000), { length: 2 ** 53 }, { length: -1 }, Object.create(null), Object.freeze({ a: 1 }),
  Object.freeze([1]), cycle, ring, deep, { toString: boom }, { valueOf: boom }, { toJSON: boom }, { [Symbol.toPrimitive]: boom },
  { get a() { return boom(); } }, { get url() { return boom(); }, get name() { return boom(); } }, { then: boom },
  { get then() { return boom(); } }, { headers: { a: { toString: boom } }, tags: { a: {} }, cookies: { a: { value: Symbol() } } },
  { headers: 5, tags: 5, cookies: 5, jar: 5, timeout: -1, redirects: -1, compression: 'x', auth: {}, responseType: 5 },
  { timeout: 1e30 }, { timeout: NaN }, { redirects: 1e30 }, { jar: {} }, { name: 'AES-GCM', iv: new Uint8Array(12), tagLength: 1e30 },
  { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-1' }, { name: 'PBKDF2', hash: 'SHA-1', salt: detached, iterations: 1e30 },
  { name: 'HMAC', hash: { name: 5 }, length: 1e30 }, { name: 'RSA-PSS', modulusLength: 1e30, publicExponent: new Uint8Array(9) },
  { highWaterMark: -1 }, { highWaterMark: NaN, size: boom }, { start: boom }, { pull: boom, write: boom, close: boom, abort: boom },
  { type: 'bytes' }, { delimiter: '\ud800' }, { fromLine: 1e30, toLine: -1 }, { asObjects: 1, skipFirstLine: 1 }, { a: boom, b: null },
  new Proxy({}, traps), new Proxy([], traps), new Proxy(() => 1, traps), revoked.proxy, new Proxy({ a: 1 }, {}),
  () => {}, boom, async () => {}, async () => boom(), function* generate() { yield 1; }, class {}, Math.max, eval, ws.connect,
  new Date(NaN), new Date(8.64e15), /x/g, new Map([[1, 2]]), new Set([1]), new WeakMap(), Promise.resolve(1), new Promise(() => {}),
  new Error('e'), badError, badMessage, new String('s'), new Number(1), Object(1n), Object(Symbol('o')), globalThis, Math,
  new ArrayBuffer(0), new ArrayBuffer(3), new Uint8Array(2), new Float64Array([NaN]), new BigInt64Array(1), new DataView(new ArrayBuffer(2)),
  new Uint8ClampedArray(1), detached, overDetached,
];

// -- targets ---------------------------------------------------------------------------------------------

const targets = [];
const seen = new Set();

/** What ends, or blocks for as long as it is told to. */
const ASIDE = new Set(['execution.test.abort', 'k6.sleep', 'timers.setInterval']);

/** Take a function as a target, or all functions that an object has. */
const aim = (label, owner, depth = 1) => {
  if (owner === null || (typeof owner !== 'object' && typeof owner !== 'function') || seen.has(owner)) return;
  seen.add(owner);
  for (let holder = owner; holder && holder !== Object.prototype && holder !== Function.prototype; holder = Object.getPrototypeOf(holder)) {
    for (const name of Object.getOwnPropertyNames(holder)) {
      const path = `${label}.${name}`;
      if (ASIDE.has(path) || name === 'prototype' || name === 'constructor') continue;
      const { get, set } = Object.getOwnPropertyDescriptor(holder, name);
      if (set) targets.push([path, (...args) => { [owner[name]] = args; }]);
      let value;
      try {
        value = owner[name];
      } catch {
        if (get) targets.push([path, () => owner[name]]);
        continue;
      }
      if (typeof value === 'function') {
        targets.push([path, (...args) => owner[name](...args)]);
        targets.push([`${path} on`, (self, ...args) => Reflect.apply(value, self, args)]);
        if (/^[A-Z]/.test(name)) targets.push([`new ${path}`, (...args) => new value(...args)]);
      } else if (depth > 0) {
        aim(path, value, depth - 1);
      }
    }
  }
};

for (const [label, module] of Object.entries({
  k6, crypto: crypto_, x509, data, encoding, execution, csv, fs, streams, html, http, metrics, secrets, timers, websockets, ws,
})) aim(label, module, 3);
for (const name of ['console', 'crypto']) aim(name, globalThis[name], 2);
for (const name of ['open', 'require', 'setTimeout', 'clearTimeout', 'clearInterval', 'TextEncoder', 'TextDecoder']) {
  const value = globalThis[name];
  targets.push([name, (...args) => value(...args)], [`new ${name}`, (...args) => new value(...args)]);
}
const PAGE = '<html><body class="a"><form><input name="a"><select><option value="1" selected></select><textarea></textarea></form>'
  + '<a href="/x">l</a><p id="p">t</p><table><tr><td>c</td></tr></table><img src="x"></body></html>';
const page = html.parseHTML(PAGE);
aim('selection', page.find('p'));
for (const name of ['a', 'form', 'input', 'select', 'textarea', 'td', 'img']) aim(name, page.find(name).get(0));
aim('hasher', crypto_.createHash('sha1'));
aim('counter', new metrics.Counter('own'));
aim('shared', new data.SharedArray('shared', () => [1, { a: 2 }]));
aim('source', secrets.source('default'));
aim('blob', new websockets.Blob(['x']));
aim('TextDecoder', new TextDecoder('utf-8', { fatal: true }));
aim('TextEncoder', new TextEncoder());
aim('file', await fs.open(__ENV.CSV));
aim('parser', new csv.Parser(await fs.open(__ENV.CSV)));
aim('reader', new streams.ReadableStream().getReader());
aim('writer', new streams.WritableStream().getWriter());
aim('stream', new streams.ReadableStream({ start(controller) { aim('controller', controller); } }));
const initial = targets.length;

/** What exists in VU code only; as many targets whatever came of it. */
const aimLate = () => {
  if (targets.length > initial) return;
  aim('response', http.get(__ENV.HTTP));
  aim('jar', http.cookieJar());
  aim('vu', execution.vu, 2);
  aim('scenario', execution.scenario);
  targets.push(['k6.sleep', (seconds) => k6.sleep(seconds > 0.01 ? 0.01 : seconds)]);
};

const perform = ([target, ...indexes], last) => {
  const [label, call] = targets[target % targets.length];
  const args = indexes.map((index) => values[index % values.length]);
  if (last) return call(...args);
  try {
    const result = call(...args);
    if (result instanceof Promise) result.then(() => {}, () => {});
  } catch {
    // what a script would do with it
  }
  return label;
};

/** All calls, of which the exception of the last one is nobody's. */
const performAll = (list) => list.forEach((one, index) => perform(one, index === list.length - 1));

const PLACES = {
  here: (list) => performAll(list),
  promise: (list) => { Promise.resolve().then(() => performAll(list)); },
  async: async (list) => { await null; performAll(list); },
  timer: (list) => { setTimeout(() => performAll(list), 0); },
  open: (list) => inSession(list, 'open'),
  message: (list) => inSession(list, 'message'),
  close: (list) => inSession(list, 'close'),
  'socket timer': (list) => ws.connect(__ENV.WS, (socket) => socket.setTimeout(() => {
    aim('socket', socket);
    performAll(list);
  }, 1)),
  listener: (list) => onSocket(list, 'open'),
  'message listener': (list) => onSocket(list, 'message'),
  'close listener': (list) => onSocket(list, 'close'),
  group: (list) => k6.group('g', () => performAll(list)),
  check: (list) => k6.check(1, { c: () => performAll(list) }),
};

const inSession = (list, event) => ws.connect(__ENV.WS, (socket) => {
  socket.setTimeout(() => socket.close(), 500);
  socket.on('open', () => socket.send('x'));
  socket.on('message', () => { if (event !== 'message') socket.close(); });
  socket.on(event, () => {
    aim('socket', socket);
    performAll(list);
  });
});

const onSocket = (list, event) => {
  const socket = new websockets.WebSocket(__ENV.WS);
  socket.addEventListener('open', () => socket.send('x'));
  socket.addEventListener('message', () => socket.close());
  socket.addEventListener(event, () => {
    aim('WebSocket', socket);
    performAll(list);
  });
};

// -- the test --------------------------------------------------------------------------------------------

const inStage = (place) => {
  for (const [where, list] of calls) if (where === place) list.forEach((one) => perform(one, false));
};

export function setup() {
  aimLate.call();
  inStage('setup');
  return 1;
}

export function hostile() {
  const [place, list] = calls[execution.vu.iterationInScenario];
  console.log(`iteration ${execution.vu.iterationInScenario}`);
  aimLate();
  if (PLACES[place]) PLACES[place](list);
  setTimeout(() => { throw new Error('the end'); }, 300);
}

export function peaceful() {
  console.log('peaceful');
  k6.sleep(0.02);
}

export function teardown() {
  inStage('teardown');
}

export function handleSummary(summary) {
  inStage('handleSummary');
  return { stdout: `${summary.metrics.iterations.values.count} iterations` };
}
