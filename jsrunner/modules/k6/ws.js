// k6/ws: https://grafana.com/docs/k6/latest/javascript-api/k6-ws/
// ws.connect blocks its VU: the loop below hands over what the handlers sent, waits for what came,
// and dispatches it. Promise jobs run only after connect has returned, as in k6.
// @ts-check
import { context } from 'jsrunner:context';
import { GoError, GoValue, mustBeCallable } from 'jsrunner:errors';
import { callPython, host, hostError, pack, packText, release, unpack } from 'jsrunner:host';
import {
  ArrayBuffer, ArrayPrototypeFilter, ArrayPrototypeMap, ArrayPrototypePop, ArrayPrototypePush, ArrayPrototypeSlice,
  MathTrunc, Number, NumberPrototypeToFixed, Object, SafeArray, String, StringPrototypeIncludes, StringPrototypeSlice,
  isInstance,
} from 'jsrunner:primordials';
import { flush, flushSamples, onFlush } from 'jsrunner:samples';
import { asText } from 'jsrunner:values';
import { wsParams } from 'jsrunner:ws_params';

const SHORT = 2048; // characters: longer texts cross beside the JSON
const CLOSE_SENT = 'websocket: close sent';

// The innermost connection that blocks: what its handlers send waits in `outbox` for the next crossing.
let current = 0;
let outbox = SafeArray();

// Whether control has left for longer since this was last set to false.
let left = false;

onFlush(() => {
  left = true;
  if (outbox.length === 0) return;
  const texts = outbox;
  outbox = SafeArray();
  host('ws.send_all', current, texts);
});

const isMessage = (event) => typeof event === 'string' || event[0] === 'text' || event[0] === 'binary';

/** Events of a crossing. Many short texts cross as one: its handle, then their lengths. */
const eventsOf = (crossed) => {
  if (typeof crossed[0] !== 'number') return crossed;
  const text = unpack(crossed[0]);
  let end = 0;
  return ArrayPrototypeMap(ArrayPrototypeSlice(crossed, 1), (length) => StringPrototypeSlice(text, end, end += length));
};

const PARAMS = { __proto__: null, tagError: 'invalid ws.connect() metric tags: ', mayBeEmpty: true };

export function connect(url, ...args) {
  if (context.inInit) throw new GoError('using websockets in the init context is not supported');
  if (args.length < 1 || args.length > 2) throw new GoError('invalid number of arguments to ws.connect');
  const setup = args[args.length - 1];
  if (typeof setup !== 'function') throw new GoError('last argument to ws.connect must be a function');
  const { headers, tags, jar, compression } = wsParams(args.length === 2 ? args[0] : undefined, PARAMS);
  flush();
  const address = asText(url);
  const { connection, response } = host('ws.connect', address, headers, tags, jar, compression);
  if (!connection) return response;

  const handlers = { __proto__: null };
  const timers = SafeArray();
  let closed = false;
  // What came with the last crossing, and which of it is being dispatched.
  let batch = SafeArray();
  let position = 0;

  const fire = (event, argument) => {
    const list = handlers[event];
    if (!list) return;
    // Handlers that are added meanwhile are for the next event.
    for (let i = 0, count = list.length; i < count; i += 1) {
      const handler = list[i];
      if (argument === undefined) handler();
      else handler(argument);
    }
  };
  const fail = (text, fields) => fire('error', new GoValue(text, fields));

  const shut = (code) => {
    if (closed) return;
    closed = true;
    flush();
    // Messages that were read but not dispatched do not count as received.
    const undelivered = ArrayPrototypeFilter(ArrayPrototypeSlice(batch, position + 1), isMessage).length;
    const failure = host('ws.close', connection, code, undelivered);
    if (failure) fail(failure);
    fire('close', code);
  };

  /** Send at once, beside the JSON. */
  const sendNow = (kind, packed) => {
    const failure = host('ws.send', connection, kind, packed);
    release();
    if (failure) fail(failure);
  };

  const timer = (name, repeats) => (callback, delay) => {
    if (callback !== undefined) mustBeCallable(callback, 0);
    const milliseconds = delay === undefined ? 0 : Number(delay);
    if (!(MathTrunc(milliseconds * 1e6) > 0)) { // Go counts in nanoseconds
      throw new GoError(name + ' requires a >0 timeout parameter, received ' + NumberPrototypeToFixed(milliseconds, 2));
    }
    if (closed) return;
    ArrayPrototypePush(timers, callback);
    host('ws.start_timer', connection, timers.length - 1, milliseconds, repeats);
  };

  const socket = {
    close(code) {
      shut(arguments.length ? MathTrunc(Number(code)) || 0 : 1001);
    },
    on(event, handler) {
      if (typeof handler === 'function') ArrayPrototypePush(handlers[event] ??= SafeArray(), handler);
    },
    ping() {
      if (closed) {
        fail(CLOSE_SENT);
        return;
      }
      flush();
      const failure = host('ws.ping', connection);
      if (failure) fail(failure);
    },
    send(message) {
      const text = asText(message);
      if (closed) {
        fail(CLOSE_SENT);
        host('ws.count_sent', connection);
      } else if (text.length <= SHORT && current === connection) {
        ArrayPrototypePush(outbox, text);
      } else {
        flush();
        sendNow('text', packText(text));
      }
    },
    sendBinary(message) {
      if (arguments.length === 0) throw new GoError('missing argument, expected ArrayBuffer');
      if (!(isInstance(ArrayBuffer, message))) {
        const type = message === undefined || message === null ? String(message) : Object(message).constructor.name;
        throw new GoError('expected ArrayBuffer as argument, received: ' + String(type));
      }
      if (closed) {
        fail(CLOSE_SENT);
        host('ws.count_sent', connection);
        return;
      }
      flush();
      sendNow('binary', pack(message));
    },
    setInterval: timer('setInterval', true),
    setTimeout: timer('setTimeout', false),
  };

  /** Everything but a short text. */
  const dispatch = (kind, value, fields) => {
    switch (kind) {
      case 'text': return fire('message', unpack(value));
      case 'binary': return fire('binaryMessage', unpack(value));
      case 'ping':
        if (value) fail(value);
        return fire('ping');
      case 'pong': return fire('pong');
      case 'timer': {
        const callback = timers[value];
        return callback();
      }
      case 'error': return fail(value, fields);
      default: return shut(value);
    }
  };

  const outer = current;
  current = connection;
  try {
    setup(socket);
    fire('open');
    while (!closed) {
      flushSamples();
      let events;
      // The usual case by the shortest way: one short text to send, which goes as the operation's name
      // (no JSON, but it would end at a NUL), and one that came, which comes as a plain string.
      if (outbox.length === 0) {
        events = callPython('\x02');
      } else if (outbox.length === 1 && !StringPrototypeIncludes(outbox[0], '\0')) {
        events = callPython('\x01' + ArrayPrototypePop(outbox));
      } else {
        const texts = outbox;
        outbox = SafeArray();
        events = host('ws.exchange', texts);
      }
      if (typeof events === 'string') {
        fire('message', events);
        continue; // the usual case: no batch to be remembered
      }
      batch = eventsOf(events);
      for (position = 0; position < batch.length && !closed; position += 1) {
        const event = batch[position];
        left = false;
        if (typeof event === 'string') fire('message', event);
        else dispatch(event[0], event[1], event[2]);
        if (left && !closed) {
          // A handler has slept, say. Timers that were due meanwhile do not wait for the messages.
          const more = eventsOf(host('ws.poll', connection));
          const merged = ArrayPrototypeFilter(more, (one) => one[0] === 'timer');
          for (let i = position + 1; i < batch.length; i += 1) ArrayPrototypePush(merged, batch[i]);
          for (let i = 0; i < more.length; i += 1) if (more[i][0] !== 'timer') ArrayPrototypePush(merged, more[i]);
          batch = merged;
          position = -1;
        }
      }
      batch = SafeArray();
    }
  } catch (error) {
    const cause = hostError(error);
    shut(1001);
    throw cause;
  } finally {
    outbox.length = 0;
    current = outer;
    host('ws.finish', connection);
  }
  return response;
}

export default { connect };
