// Uses every function of every module and every global in its ordinary way, and says what comes of it. What it needs
// of the language itself it takes at the beginning, so what is done at the two marks must make no difference.
import { check, fail, group, randomSeed, sleep } from 'k6';
import crypto from 'k6/crypto';
import x509 from 'k6/crypto/x509';
import { SharedArray } from 'k6/data';
import encoding from 'k6/encoding';
import execution from 'k6/execution';
import csv from 'k6/experimental/csv';
import fs from 'k6/experimental/fs';
import streams from 'k6/experimental/streams';
import html from 'k6/html';
import http from 'k6/http';
import metrics from 'k6/metrics';
import grpc from 'k6/net/grpc';
import secrets from 'k6/secrets';
import * as timers from 'k6/timers';
import { Blob, WebSocket } from 'k6/websockets';
import ws from 'k6/ws';

const { log, debug, error, info, warn } = console;
const { open, require, setTimeout } = globalThis;
const { hasOwn, keys, getOwnPropertyNames, getPrototypeOf, getOwnPropertyDescriptor, prototype: ObjectPrototype } = Object;
const { isArray } = Array;
const { isView } = ArrayBuffer;
const Bytes = Uint8Array;
const Buffer = ArrayBuffer;
const Resolver = Promise;
const text = String;
const number = Number;
const global = globalThis;
const now = Date.now;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const sort = uncurry(Array.prototype.sort);
const sizeOfBuffer = uncurry(getOwnPropertyDescriptor(Buffer.prototype, 'byteLength').get);
const sizeOfView = uncurry(getOwnPropertyDescriptor(getPrototypeOf(Bytes.prototype), 'length').get);
const env = {
  ws: __ENV.WS, http: __ENV.HTTP, csv: __ENV.CSV, certificate: open(__ENV.CERTIFICATE),
  grpc: __ENV.GRPC,
};
const rpc = new grpc.Client();
rpc.load([__ENV.PROTO], 'playground.proto');

// -- how values are told ---------------------------------------------------------------------------------

/** Members whose values differ from run to run. */
const UNSTABLE = {
  __proto__: null, timings: 1, date: 1, remote_port: 1, timestamp: 1, startTime: 1, currentTestRunDuration: 1, progress: 1,
  target: 1, testRunDurationMs: 1, url: 1, origin: 1, headers: 1, body: 1, expires: 1, request: 1,
};

const isBuffer = (value) => {
  try {
    return sizeOfBuffer(value) >= 0;
  } catch {
    return false;
  }
};

const list = (items, count, depth) => {
  let shown = '';
  for (let i = 0; i < count; i += 1) shown += (i ? ', ' : '') + show(items[i], depth + 1);
  return '[' + shown + ']';
};

const show = (value, depth = 0) => {
  switch (typeof value) {
    case 'string': return '"' + value + '"';
    case 'function': return 'function';
    case 'symbol': return 'symbol';
    case 'object': break;
    default: return text(value);
  }
  if (value === null) return 'null';
  if (depth > 4) return '...';
  if (isBuffer(value)) return 'buffer ' + list(new Bytes(value), sizeOfBuffer(value), depth);
  if (isView(value)) return 'view ' + list(value, sizeOfView(value), depth);
  if (isArray(value)) return list(value, value.length, depth);
  const names = sort(keys(value));
  let shown = '';
  for (let i = 0; i < names.length; i += 1) {
    const member = value[names[i]];
    shown += (i ? ', ' : '') + names[i] + ': ' + (UNSTABLE[names[i]] ? typeof member : show(member, depth + 1));
  }
  return '{' + shown + '}';
};

/** What was thrown or rejected. */
const told = (thrown) => {
  if (typeof thrown !== 'object' || thrown === null) return text(thrown);
  return typeof thrown.error === 'function' ? thrown.error() : text(thrown.message);
};

/** Say what a call gives. */
const use = (name, call) => {
  try {
    log(name + ' = ' + show(call()));
  } catch (thrown) {
    log(name + ' threw ' + told(thrown));
  }
};
const useLater = async (name, call) => {
  try {
    log(name + ' = ' + show(await call()));
  } catch (thrown) {
    log(name + ' rejected ' + told(thrown));
  }
};

/** The names of an object's methods, its own and inherited ones but not Object.prototype's. */
const methodsOf = (object) => {
  const names = { __proto__: null, count: 0 };
  for (let owner = object; owner !== null && owner !== ObjectPrototype; owner = getPrototypeOf(owner)) {
    const own = sort(getOwnPropertyNames(owner));
    for (let i = 0; i < own.length; i += 1) {
      const descriptor = getOwnPropertyDescriptor(owner, own[i]);
      if (own[i] !== 'constructor' && hasOwn(descriptor, 'value') && typeof descriptor.value === 'function') {
        names[names.count] = own[i];
        names.count += 1;
      }
    }
  }
  return names;
};

const PAGE = '<html><head><title>T</title></head><body class="a b" data-user-id="5" data-list="[1,2]"><form action="/form" '
  + 'method="post"><input name="one" value="1" type="text"><input type="submit" name="go" value="Go"><select name="s">'
  + '<option value="x" selected>X</option></select><textarea name="t">text</textarea><button>B</button><label for="l">L'
  + '</label></form><a href="/x?y#z" rel="r s">link</a><p id="l">first</p><p>second</p><table><tr><td>c</td></tr></table>'
  + '<img src="i.png" width="5"><ol start="3"><li value="2">i</li></ol><progress value="1" max="2"></progress></body></html>';
// -- functions of the init code --------------------------------------------------------------------------

const shared = new SharedArray('shared', () => [{ a: 1 }, { a: [2, 3] }]);
const counter = new metrics.Counter('own_counter');
const gauge = new metrics.Gauge('own_gauge');
const rate = new metrics.Rate('own_rate');
const trend = new metrics.Trend('own_trend', true);
const file = await fs.open(env.csv);
const parser = new csv.Parser(file, { skipFirstLine: true });
const records = await csv.parse(await fs.open(env.csv), { asObjects: true });

/* at the beginning */

use('SharedArray', () => new SharedArray('another', () => [1, 'two'])[1]);
use('Counter', () => new metrics.Counter('another_counter').name);
use('Gauge', () => new metrics.Gauge('another_gauge').name);
use('Rate', () => new metrics.Rate('another_rate').name);
use('Trend', () => new metrics.Trend('another_trend', true).name);
use('open', () => open(env.csv));
use('open binary', () => open(env.csv, 'b'));
use('require', () => typeof require('k6/crypto').sha256);
use('require late', () => keys(require('k6/experimental/websockets')).length);

export const options = {
  iterations: 2,
  batch: 1,
  thresholds: { own_counter: ['count==4'] },
  scenarios: undefined,
};

export function setup() {
  return { list: [1, 'x', { b: 2, a: null }], date: 'd', bytes: new Bytes(2) };
}

// -- functions of the modules ----------------------------------------------------------------------------

const useK6 = () => {
  use('check', () => check({ a: 1 }, { 'is one': (value) => value.a === 1, isTrue: true, isFalse: 0 }, { own: 'tag' }));
  use('group', () => group('outer', () => group('inner', () => counter.add(1, { own: 'tag' }))));
  use('fail', () => fail('on purpose'));
  use('sleep', () => sleep(0.001));
  use('add', () => [counter.add(1), gauge.add(2.5), rate.add(true), trend.add('3', { t: 5 }), trend.add('no')]);
  use('randomSeed', () => randomSeed(1));
};

const HASHES = ['md4', 'md5', 'ripemd160', 'sha1', 'sha256', 'sha384', 'sha512', 'sha512_224', 'sha512_256'];
const bytes = new Bytes(4);
bytes[1] = 200;
bytes[3] = 7;

const useEncodings = () => {
  for (let i = 0; i < HASHES.length; i += 1) use(HASHES[i], () => crypto[HASHES[i]]('text', 'hex'));
  use('sha256 binary', () => crypto.sha256(bytes, 'binary'));
  use('hmac', () => crypto.hmac('sha256', 'key', bytes, 'base64'));
  use('createHash', () => {
    const hash = crypto.createHash('sha1');
    hash.update('te');
    hash.update('xt');
    return hash.digest('base64url');
  });
  use('createHMAC', () => {
    const hash = crypto.createHMAC('md5', 'key');
    hash.update('text');
    return hash.digest('base64rawurl');
  });
  use('hexEncode', () => crypto.hexEncode(bytes));
  use('randomBytes', () => sizeOfBuffer(crypto.randomBytes(9)));
  use('b64encode', () => encoding.b64encode(bytes, 'rawurl'));
  use('b64decode', () => [encoding.b64decode('AMgABw==', 'std'), encoding.b64decode('dGV4dA==', 'std', 's')]);
  use('parse', () => x509.parse(env.certificate).subject);
  use('getAltNames', () => x509.getAltNames(env.certificate));
  use('getIssuer', () => x509.getIssuer(env.certificate));
  use('getSubject', () => x509.getSubject(env.certificate));
  use('shared', () => [shared.length, shared[1], shared[0].a]);
  use('console', () => {
    const values = [1, 'x', { a: [true, null, undefined], b: { c: bytes, d: new Buffer(1) } }];
    debug('debug', values);
    error('error', values[2]);
    info('info', values[0], values[1]);
    warn('warn', values[2].b);
    log('log', show);
  });
};

const useExecution = (data) => {
  use('data', () => data);
  use('instance', () => execution.instance);
  use('scenario', () => execution.scenario);
  use('vu', () => [execution.vu.idInTest, execution.vu.iterationInScenario, execution.vu.iterationInInstance]);
  use('tags', () => {
    execution.vu.metrics.tags.own = 'value';
    execution.vu.metrics.metadata.other = 'm';
    const tags = execution.vu.metrics.tags;
    return [tags.own, 'own' in tags, sort(keys(tags)), execution.vu.metrics.metadata.other, delete tags.own];
  });
  use('options', () => execution.test.options.iterations);
  use('globals', () => [__VU, __ITER, __ENV.OWN]);
};

const useFiles = async () => {
  await useLater('stat', () => file.stat());
  await useLater('seek', () => file.seek(2, fs.SeekMode.Start));
  await useLater('read', async () => {
    const into = new Bytes(5);
    return [await file.read(into), into];
  });
  await useLater('next', () => parser.next());
  use('records', () => [records.length, records[1]]);
  await useLater('secrets', () => secrets.get('one'));
  await useLater('source', () => secrets.source('default').get('one'));
};

const useStreams = async () => {
  await useLater('ReadableStream', async () => {
    const stream = new streams.ReadableStream({
      start(controller) {
        controller.enqueue('one');
        controller.enqueue('two');
        controller.close();
      },
    }, new streams.CountQueuingStrategy({ highWaterMark: 2 }));
    const reader = new streams.ReadableStreamDefaultReader(stream);
    const first = await reader.read();
    const second = await reader.read();
    const third = await reader.read();
    return [first, second, third, await reader.closed];
  });
  await useLater('WritableStream', async () => {
    let written = '';
    const stream = new streams.WritableStream({
      write(chunk) {
        written += chunk;
      },
    });
    const writer = new streams.WritableStreamDefaultWriter(stream);
    await writer.ready;
    await writer.write('a');
    await writer.write('b');
    await writer.close();
    return [written, await writer.closed];
  });
  await useLater('Blob', async () => {
    const blob = new Blob(['text', bytes, new Blob(['more'])], { type: 'own' });
    const reader = new Blob(['streamed']).stream().getReader();
    return [blob.size, blob.type, await blob.text(), await blob.slice(1, 3).arrayBuffer(), await blob.bytes(),
      await reader.read()];
  });
};

const useCodecs = async () => {
  use('TextEncoder', () => new TextEncoder_().encode('hé'));
  use('TextDecoder', () => new TextDecoder_('utf-8', { fatal: true }).decode(new TextEncoder_().encode('hé')));
  use('TextDecoder stream', () => {
    const decoder = new TextDecoder_();
    const encoded = new TextEncoder_().encode('é');
    const first = new Bytes(1);
    first[0] = encoded[0];
    const second = new Bytes(1);
    second[0] = encoded[1];
    return decoder.decode(first, { stream: true }) + decoder.decode(second);
  });
  const { subtle } = webcrypto;
  use('getRandomValues', () => sizeOfView(webcrypto.getRandomValues(new Bytes(3))));
  use('randomUUID', () => webcrypto.randomUUID().length);
  await useLater('digest', () => subtle.digest('SHA-256', bytes));
  await useLater('AES', async () => {
    const key = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['encrypt', 'decrypt']);
    const algorithm = { name: 'AES-CBC', iv: new Bytes(16) };
    const sealed = await subtle.encrypt(algorithm, key, bytes);
    return [key.type, key.algorithm.name, await subtle.decrypt(algorithm, key, sealed),
      sizeOfBuffer(await subtle.exportKey('raw', key))];
  });
  await useLater('HMAC', async () => {
    const algorithm = { name: 'HMAC', hash: 'SHA-1' };
    const key = await subtle.importKey('raw', bytes, algorithm, true, ['sign', 'verify']);
    const signature = await subtle.sign('HMAC', key, bytes);
    return [signature, await subtle.verify('HMAC', key, signature, bytes), await subtle.exportKey('jwk', key)];
  });
  await useLater('ECDH', async () => {
    const pair = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits', 'deriveKey']);
    const bits = await subtle.deriveBits({ name: 'ECDH', public: pair.publicKey }, pair.privateKey, 64);
    return [sizeOfBuffer(bits), sizeOfBuffer(await subtle.exportKey('raw', pair.publicKey))];
  });
  await useLater('PBKDF2', async () => {
    const base = await subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveBits', 'deriveKey']);
    const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes, iterations: 2 };
    const key = await subtle.deriveKey(algorithm, base, { name: 'AES-GCM', length: 128 }, true, ['encrypt']);
    return [await subtle.deriveBits(algorithm, base, 64), await subtle.exportKey('raw', key)];
  });
  await useLater('ECDSA', async () => {
    const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const algorithm = { name: 'ECDSA', hash: { name: 'SHA-256' } };
    const signature = await subtle.sign(algorithm, pair.privateKey, bytes);
    return [await subtle.verify(algorithm, pair.publicKey, signature, bytes)];
  });
  await useLater('wrapKey', () => subtle.wrapKey('raw', null, null, 'AES-KW'));
  await useLater('unwrapKey', () => subtle.unwrapKey('raw', bytes, null, 'AES-KW', 'AES-CBC', true, []));
};

/** Arguments of a selection's methods that do nothing without. */
const ARGUMENTS = {
  __proto__: null, add: 'a', attr: 'class', closest: 'body', data: 'userId', each: (index, element) => element.nodeName(),
  eq: 0, filter: 'p', find: 'p', get: 0, has: 'p', index: 'p', is: 'body', map: (index, one) => one.text(), not: 'p', slice: 0,
};
const ELEMENT_ARGUMENTS = {
  __proto__: null, getAttribute: 'class', getAttributeNode: 'class', hasAttribute: 'id', getElementsByClassName: 'a',
  getElementsByTagName: 'p', querySelector: 'p', querySelectorAll: 'p', matches: 'p',
};
const shape = (value) => {
  if (typeof value !== 'object' || value === null) return show(value);
  if (isArray(value)) return 'list of ' + value.length + (value.length ? ' ' + shape(value[0]) : '');
  if (typeof value.nodeName === 'function') return 'element ' + value.nodeName();
  return typeof value.size === 'function' ? 'selection of ' + value.size() : show(value);
};

const useHTML = () => {
  const page = html.parseHTML(PAGE);
  const body = page.find('body');
  const selectionMethods = methodsOf(body);
  for (let i = 0; i < selectionMethods.count; i += 1) {
    const name = selectionMethods[i];
    use('Selection.' + name, () => (name in ARGUMENTS ? shape(body[name](ARGUMENTS[name])) : shape(body[name]())));
  }
  use('data', () => body.data());
  use('form', () => [page.find('form').serialize(), page.find('form').serializeArray(), page.find('form').serializeObject()]);
  use('filter', () => [page.find('p').filter((index) => index === 1).text(), page.find('p').not((i, one) => one.is('#l')).size()]);
  const elements = page.find('*').get();
  for (let i = 0; i < elements.length; i += 1) {
    const element = elements[i];
    const kind = element.nodeName();
    const names = methodsOf(element);
    for (let j = 0; j < names.count; j += 1) {
      const name = names[j];
      if (name === 'contains' || name === 'isSameNode' || name === 'isEqualNode') {
        use(kind + '.' + name, () => element[name](elements[0]));
      } else {
        use(kind + '.' + name, () => shape(element[name](ELEMENT_ARGUMENTS[name])));
      }
    }
  }
};

const answer = (response) => [response.status, response.json('method'), response.json('data'), response.error_code];

const useHTTP = async () => {
  const url = env.http + '/anything';
  const params = { headers: { 'X-Own': 'a' }, tags: { own: 'tag' }, cookies: { c: { value: 'v', replace: true } } };
  use('get', () => answer(http.get(url, params)));
  use('head', () => http.head(url).status);
  use('post', () => answer(http.post(url, { field: 'a b', list: [1, 2] }, params)));
  use('put', () => answer(http.put(url, 'text')));
  use('patch', () => answer(http.patch(url, bytes)));
  use('del', () => answer(http.del(url, null, { timeout: '5s' })));
  use('options', () => answer(http.options(url)));
  use('request', () => answer(http.request('REPORT', url, 'x', { responseType: 'text', redirects: 1 })));
  use('file', () => http.post(url, { f: http.file('content', 'n.txt', 'text/plain'), other: 5 }).status);
  use('response', () => http.get(url));
  use('url', () => http.get(http.url`${url}/${5}`).status);
  use('batch', () => {
    const responses = http.batch([['GET', url], { method: 'POST', url, body: 'b', params }, url]);
    const named = http.batch({ one: url });
    return [responses[0].status, answer(responses[1]), responses[2].status, named.one.status];
  });
  use('expectedStatuses', () => {
    http.setResponseCallback(http.expectedStatuses(200, { min: 300, max: 310 }));
    const { status } = http.get(env.http + '/status/404');
    http.setResponseCallback(http.expectedStatuses({ min: 200, max: 399 }));
    return status;
  });
  use('jar', () => {
    const jar = new http.CookieJar();
    jar.set(url, 'name', 'value', { path: '/' });
    const own = http.cookieJar();
    own.set(url, 'mine', 'yes');
    const before = jar.cookiesForURL(url);
    jar.delete(url, 'name');
    own.clear(url);
    return [before, jar.cookiesForURL(url), own.cookiesForURL(url)];
  });
  use('refused', () => http.get('http://127.0.0.1:1/').error_code);
  use('html', () => http.post(env.http + '/reply?type=text/html', PAGE).html('p').size());
  use('submitForm', () => {
    const response = http.post(env.http + '/reply?type=text/html', PAGE);
    return response.submitForm({ formSelector: 'form', fields: { one: 'changed' } }).status;
  });
  use('clickLink', () => http.post(env.http + '/reply?type=text/html', PAGE).clickLink({ selector: 'a' }).status);
  use('json', () => http.post(env.http + '/reply', '{"a":[{"b":1},{"b":2}]}').json('a.#(b>1).b'));
  await useLater('asyncRequest', async () => answer(await http.asyncRequest('POST', url, 'async', params)));
};

const useSockets = async () => {
  use('connect', () => {
    let heard = '';
    const response = ws.connect(env.ws, { headers: { 'X-A': 'b' }, tags: { t: 'x' } }, (socket) => {
      socket.on('open', () => {
        socket.send('hello');
        socket.sendBinary(new Buffer(3));
        socket.setInterval(() => {}, 1000);
      });
      socket.on('message', (message) => {
        heard += ' ' + message;
        if (message === 'later') socket.ping();
      });
      socket.on('binaryMessage', (message) => {
        heard += ' ' + sizeOfBuffer(message);
        socket.setTimeout(() => socket.send('later'), 1);
      });
      socket.on('pong', () => socket.close(1000));
      socket.on('error', (problem) => {
        heard += ' ' + problem.error();
      });
      socket.on('close', (code) => {
        heard += ' ' + code;
      });
    });
    return [response.status, heard];
  });
  await useLater('WebSocket', () => new Resolver((resolve) => {
    const socket = new WebSocket(env.ws, null, { headers: { 'X-A': 'b' }, tags: { t: 'x' } });
    let heard = '';
    socket.binaryType = 'arraybuffer';
    socket.onopen = (event) => {
      heard += event.type + ' ' + socket.readyState;
      socket.send('text');
    };
    socket.addEventListener('message', (event) => {
      heard += ' ' + (typeof event.data === 'string' ? event.data : 'buffer ' + sizeOfBuffer(event.data));
      if (event.data === 'text') socket.send(bytes);
      else if (typeof event.data !== 'string') socket.ping();
    });
    socket.addEventListener('pong', (event) => {
      heard += ' ' + event.type;
      socket.close(1000, 'done');
    });
    socket.onclose = (event) => {
      heard += ' ' + event.type;
      resolve(heard + ' ' + socket.bufferedAmount + show(keys(event)));
    };
    socket.onerror = (event) => {
      heard += ' ' + event.error;
    };
  }));
  await useLater('timers', () => new Resolver((resolve) => {
    let ticks = 0;
    const stopped = timers.setTimeout(() => resolve('not stopped'), 2);
    timers.clearTimeout(stopped);
    const interval = timers.setInterval(() => {
      ticks += 1;
      if (ticks < 3) return;
      timers.clearInterval(interval);
      setTimeout((argument) => resolve(argument + ticks), 1, 'ticks ');
    }, 1);
  }));
};

const ECHO = 'jsrunner.v1.Playground/Echo';
const CLOCK = 'jsrunner.v1.Playground/Clock';

const useGRPC = async () => {
  use('gRPC connect', () => rpc.connect(env.grpc, { plaintext: true, timeout: '10s' }));
  use('gRPC invoke', () => rpc.invoke(ECHO, { text: 'hello', payload: 'AQID' }, { metadata: { a: 'b' }, tags: { t: 'x' } }));
  use('gRPC invoke that fails', () => rpc.invoke(ECHO, { text: 'no', status: 5 }));
  await useLater('gRPC asyncInvoke', () => rpc.asyncInvoke(ECHO, { text: 'later' }));
  await useLater('gRPC Stream', () => new Resolver((resolve) => {
    let heard = '';
    const stream = new grpc.Stream(rpc, CLOCK, { tags: { t: 'x' } });
    stream.on('data', (tick) => {
      heard += ' ' + tick.number;
    });
    stream.on('error', (problem) => {
      heard += ' ' + problem.code;
    });
    stream.on('end', () => resolve('ticks' + heard));
    stream.write({ count: 2, interval_ms: 1 });
    stream.end();
  }));
  use('gRPC healthCheck', () => rpc.healthCheck());
  use('gRPC close', () => rpc.close());
  use('gRPC codes', () => [
    grpc.StatusOK, grpc.StatusCanceled, grpc.StatusUnknown, grpc.StatusInvalidArgument, grpc.StatusDeadlineExceeded,
    grpc.StatusNotFound, grpc.StatusAlreadyExists, grpc.StatusPermissionDenied, grpc.StatusResourceExhausted,
    grpc.StatusFailedPrecondition, grpc.StatusAborted, grpc.StatusOutOfRange, grpc.StatusUnimplemented,
    grpc.StatusInternal, grpc.StatusUnavailable, grpc.StatusDataLoss, grpc.StatusUnauthenticated,
    grpc.HealthCheckUnknown, grpc.HealthCheckServing, grpc.HealthCheckNotServing, grpc.HealthCheckServiceUnkown,
  ]);
};

// What is loaded when it is first read is read late, but by names that may be gone by then.
let TextEncoder_;
let TextDecoder_;
let webcrypto;
const late = (name) => {
  const { get, value } = getOwnPropertyDescriptor(global, name);
  return get === undefined ? () => value : get;
};
const lateEncoder = late('TextEncoder');
const lateDecoder = late('TextDecoder');
const lateCrypto = late('crypto');

let isFirst = true;

export default async function (data) {
  if (isFirst) {
    isFirst = false;
    /* later */
  }
  TextEncoder_ = lateEncoder();
  TextDecoder_ = lateDecoder();
  webcrypto = lateCrypto();
  useK6();
  useEncodings();
  useExecution(data);
  await useFiles();
  await useStreams();
  await useCodecs();
  useHTML();
  await useHTTP();
  await useSockets();
  await useGRPC();
  if (__ITER === 1) {
    execution.test.fail('as planned');
    throw 'on purpose';
  }
}

export function teardown(data) {
  use('teardown', () => data);
}

export function handleSummary(data) {
  const { own_counter: counted, checks } = data.metrics;
  return { stdout: 'summary ' + counted.values.count + ' ' + checks.values.passes + ' ' + checks.values.fails };
}
