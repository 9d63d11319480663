// k6/websockets: https://grafana.com/docs/k6/latest/javascript-api/k6-websockets/
// Sockets whose events run on the VU's event loop. Beyond k6: removeEventListener, and the error event of
// a refused handshake has `status`, `headers` and `body` (not enumerable, so that it looks like k6's).
// @ts-check
import { Blob, blobOf, bytesOfBlob } from 'jsrunner:blob';
import { copyOf } from 'jsrunner:bytes';
import { context } from 'jsrunner:context';
import { GoError, describe, mustBeCallable } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import { host, pack, packText, release, unpack } from 'jsrunner:host';
import { forget, listen, onDeparture } from 'jsrunner:loop';
import {
  ArrayBuffer, ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ArrayFromSafe, ArrayIsArray, ArrayPrototypeFilter,
  ArrayPrototypeIncludes, ArrayPrototypeIndexOf, ArrayPrototypeJoin, ArrayPrototypeMap, ArrayPrototypePush,
  ArrayPrototypeSlice, DataView, MathTrunc, Number, ObjectDefineProperties, ObjectDefineProperty, ObjectKeys, SafeArray,
  String, StringPrototypeCharCodeAt, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeSlice, Uint8Array,
  isInstance,
} from 'jsrunner:primordials';
import { onFlush } from 'jsrunner:samples';
import { asText } from 'jsrunner:values';
import { wsParams } from 'jsrunner:ws_params';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const EVENTS = ['message', 'error', 'open', 'close', 'ping', 'pong'];
const SHORT = 2048; // characters: longer texts cross beside the JSON

/** A property of an event: nobody changes it. */
const FIXED = { __proto__: null, writable: false, configurable: false };
const FIXED_MESSAGE = {
  __proto__: null, type: FIXED, target: FIXED, timestamp: FIXED, data: FIXED, origin: FIXED,
};

const PARAMS = {
  __proto__: null,
  tagError: 'invalid WebSocket tags option: ',
  others(key) {
    throw new GoError("unknown WebSocket's option " + key);
  },
};

// -- what the handlers have sent: it leaves when the loop goes on, or before anything that blocks ---

/** [handle, text or ArrayBuffer, what hears of the answer], or [handle, something else, kind] */
let outbox = SafeArray();

const packed = (entry) => {
  const { 0: handle, 1: what, 2: kind } = entry;
  if (typeof what === 'string') return what.length <= SHORT ? [handle, what] : [handle, packText(what), 'text'];
  return isInstance(ArrayBuffer, what) ? [handle, pack(what), 'binary'] : [handle, what, kind];
};

onFlush(() => {
  if (!outbox.length) return;
  const entries = outbox;
  outbox = SafeArray();
  host('websockets.send', ArrayPrototypeMap(entries, packed));
  release();
});

// The usual case, one short text: as the name of the call that waits. It would end at a NUL. The answer is
// often one text too.
let receiver;
onDeparture(() => {
  if (outbox.length !== 1) return undefined;
  const entry = outbox[0];
  const text = entry[1];
  if (typeof text !== 'string' || text.length > SHORT || StringPrototypeIncludes(text, '\0')) return undefined;
  outbox.length = 0;
  receiver = entry[2];
  return '\x05' + entry[0] + ':' + text;
}, (text, time) => receiver(text, time));

/** How many bytes a text has in UTF-8. */
const byteLength = (text) => {
  let size = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const code = StringPrototypeCharCodeAt(text, i);
    if (code > 0x7ff) size += code >= 0xd800 && code < 0xe000 ? 1 : 2;
    else if (code > 0x7f) size += 1;
  }
  return size;
};

/** What `send` takes, as it crosses: a string, or an ArrayBuffer that nobody else has. */
const payloadOf = (data) => {
  if (typeof data === 'string') return data;
  if (isInstance(ArrayBuffer, data) || (ArrayBufferIsView(data) && !isInstance(DataView, data))) return copyOf(data);
  const bytes = bytesOfBlob(data);
  if (bytes) return copyOf(bytes);
  throw new GoError('unsupported send type ' + goType(data));
};

const FRAME = '\n\tat ';

/** The text of an error event about an exception of a handler. */
const onOneLine = (error) => {
  const text = describe(error);
  const frames = StringPrototypeIndexOf(text, FRAME);
  if (frames < 0) return text;
  const start = frames + FRAME.length;
  const place = StringPrototypeSlice(text, start, StringPrototypeIndexOf(text, '\n', start));
  return StringPrototypeSlice(text, 0, frames) + ' at ' + place;
};

const protocolsOf = (protocols) => {
  if (typeof protocols === 'string' || isInstance(String, protocols)) return String(protocols);
  return ArrayIsArray(protocols) ? ArrayPrototypeJoin(ArrayPrototypeMap(protocols, (one) => String(one)), ', ') : '';
};

// Works without `new`, as in k6; what it returns is no instance of it.
export function WebSocket(address, protocols, params) {
  if (context.inInit) throw new GoError('using websockets in the init context is not supported');
  if (address === undefined || address === null) throw new GoError('WebSocket requires a url');
  const url = host('websockets.parse', String(address));
  const { headers, tags, jar, compression } = wsParams(params, PARAMS);
  const handle = host('websockets.open', url, protocolsOf(protocols), headers, tags, jar, compression);

  const socket = {};
  let state = CONNECTING;
  let binaryType = 'blob';
  let protocol = '';
  let extensions = ArrayFromSafe(SafeArray());
  const handlers = { __proto__: null }; // the on... properties
  const listeners = { __proto__: null };

  /** Call who listens: the on... property, then the others as they were added. */
  const fire = (type, event) => {
    const handler = handlers[type];
    // Listeners that are added meanwhile are for the next event.
    const others = listeners[type] && ArrayPrototypeSlice(listeners[type]);
    handler?.(event);
    for (let i = 0; i < others?.length; i += 1) {
      const listener = others[i];
      listener(event);
    }
  };

  const eventOf = (type, timestamp, fields, hidden) => {
    const event = {
      type, target: socket, timestamp, ...fields,
    };
    const shown = ObjectKeys(event);
    for (let i = 0; i < shown.length; i += 1) ObjectDefineProperty(event, shown[i], FIXED);
    const more = hidden ? ObjectKeys(hidden) : [];
    for (let i = 0; i < more.length; i += 1) ObjectDefineProperty(event, more[i], { __proto__: null, value: hidden[more[i]] });
    return event;
  };

  const closed = (error, code, reason, response, time) => {
    state = CLOSED;
    forget(handle);
    if (error !== null) fire('error', eventOf('error', time, { error }, response));
    fire('close', eventOf('close', time, code === null ? { reason } : { code, reason }));
  };

  /** A handler has thrown: it takes the connection with it. */
  const abort = (error, time) => {
    host('websockets.abort', handle);
    if (state !== CLOSED) {
      try {
        closed(onOneLine(error), null, '', null, time);
      } catch {
        // the iteration fails by the first exception
      }
    }
    throw error;
  };

  const message = (data, timestamp) => {
    if (state !== OPEN) {
      ArrayPrototypePush(outbox, [handle, 1, 'undelivered']);
      return;
    }
    if (!handlers.message && !listeners.message) return;
    const event = ObjectDefineProperties({
      type: 'message', target: socket, timestamp, data, origin: url,
    }, FIXED_MESSAGE);
    try {
      if (listeners.message) fire('message', event);
      else { const handler = handlers.message; handler(event); }
    } catch (error) {
      abort(error, timestamp);
    }
  };

  const received = (payload, time) => {
    if (typeof payload === 'string') {
      message(payload, time);
      return;
    }
    const { 0: kind, 1: first, 2: second, 3: third, 4: fourth } = payload;
    switch (kind) {
      case 'text':
        message(unpack(first), time);
        break;
      case 'binary': {
        const buffer = unpack(first);
        message(binaryType === 'blob' ? blobOf(new Uint8Array(buffer)) : buffer, time);
        break;
      }
      case 'open':
        protocol = first;
        extensions = second;
        if (state !== CONNECTING) break;
        state = OPEN;
        try {
          fire('open', eventOf('open', time));
        } catch (error) {
          abort(error, time);
        }
        break;
      case 'close':
        closed(first, second, third, fourth, time);
        break;
      default:
        fire(kind, eventOf(kind, time));
    }
  };

  const isMessage = (payload) => typeof payload === 'string' || payload[0] === 'text' || payload[0] === 'binary';
  listen(handle, received, (payloads) => {
    state = CLOSED;
    let messages = 0;
    for (let i = 0; i < payloads.length; i += 1) if (isMessage(payloads[i])) messages += 1;
    ArrayPrototypePush(outbox, [handle, messages, 'undelivered']);
  });

  const constant = (name, value, enumerable = true) => {
    ObjectDefineProperty(socket, name, { __proto__: null, value, enumerable });
  };
  const property = (name, get, set) => {
    ObjectDefineProperty(socket, name, {
      __proto__: null, get, set, enumerable: true,
    });
  };

  constant('addEventListener', (type, listener) => {
    const name = asText(type);
    if (listener === undefined || listener === null) {
      throw new GoError('handler for event type "' + name + '" isn\'t a callable function');
    }
    mustBeCallable(listener, 1);
    if (ArrayPrototypeIncludes(EVENTS, name)) ArrayPrototypePush(listeners[name] ??= SafeArray(), listener);
    else host('websockets.warn', "can't add event handler: unknown event type: " + name);
  });
  constant('removeEventListener', (type, listener) => {
    const list = listeners[type] ?? SafeArray();
    const at = ArrayPrototypeIndexOf(list, listener);
    if (at >= 0) listeners[type] = ArrayPrototypeFilter(list, (_, index) => index !== at);
  }, false);
  constant('send', (data) => {
    if (state !== OPEN) throw new GoError('InvalidStateError');
    ArrayPrototypePush(outbox, [handle, payloadOf(data), message]);
  });
  constant('ping', () => {
    if (state !== OPEN) throw new GoError('InvalidStateError');
    ArrayPrototypePush(outbox, [handle, null, 'ping']);
  });
  constant('close', (code, reason) => {
    if (state === CLOSING || state === CLOSED) return;
    const number = MathTrunc(Number(code)) || 1000;
    const text = asText(reason);
    if (number !== 1000 && !(number >= 3000 && number <= 4999)) {
      throw new GoError("InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be "
        + 'either 1000, or between 3000 and 4999. ' + number + ' is neither');
    }
    if (byteLength(text) > 123) {
      throw new GoError("SyntaxError: Failed to execute 'close' on 'WebSocket': The message must not be "
        + 'greater than 123 bytes');
    }
    state = CLOSING;
    ArrayPrototypePush(outbox, [handle, [number, text], 'close']);
  });
  constant('url', url);
  property('readyState', () => state);
  property('bufferedAmount', () => {
    let size = host('websockets.buffered', handle);
    for (let i = 0; i < outbox.length; i += 1) {
      const { 0: owner, 1: what } = outbox[i];
      if (owner === handle && typeof what === 'string') size += byteLength(what);
      else if (owner === handle && isInstance(ArrayBuffer, what)) size += ArrayBufferPrototypeGetByteLength(what);
    }
    return size;
  });
  property('extensions', () => extensions);
  property('protocol', () => protocol);
  property('binaryType', () => binaryType, (type) => {
    if (type !== 'blob' && type !== 'arraybuffer') {
      throw new GoError('unknown binaryType ' + String(type) + ', the supported ones are "blob" and "arraybuffer"');
    }
    binaryType = type;
  });
  for (let i = 0; i < EVENTS.length; i += 1) {
    const type = EVENTS[i];
    property('on' + type, () => {
      // As in k6: always a function, which calls nothing but gives what was assigned.
      const handler = handlers[type];
      return () => handler;
    }, (handler) => {
      if (handler !== undefined && handler !== null && typeof handler !== 'function') {
        throw new GoError("a value for 'on" + type + "' should be callable");
      }
      handlers[type] = handler ?? undefined;
    });
  }
  return socket;
}

export { Blob };
