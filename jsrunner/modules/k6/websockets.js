// k6/websockets: https://grafana.com/docs/k6/latest/javascript-api/k6-websockets/
// Sockets whose events run on the VU's event loop. Beyond k6: removeEventListener, and the error event of
// a refused handshake has `status`, `headers` and `body` (not enumerable, so that it looks like k6's).
// @ts-check
import {
  GoError, context, describe, host, mustBeCallable, onFlush, pack, packText, release, unpack,
} from 'jsrunner:host';
import { Blob, blobOf, bytesOfBlob } from 'jsrunner:blob';
import { goType } from 'jsrunner:bytes';
import { forget, listen, onDeparture } from 'jsrunner:loop';
import { wsParams } from 'jsrunner:ws_params';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const EVENTS = ['message', 'error', 'open', 'close', 'ping', 'pong'];
const SHORT = 2048; // characters: longer texts cross beside the JSON

const { defineProperties, defineProperty } = Object;

/** A property of an event: nobody changes it. */
const FIXED = { __proto__: null, writable: false, configurable: false };
const FIXED_MESSAGE = {
  type: FIXED, target: FIXED, timestamp: FIXED, data: FIXED, origin: FIXED,
};

const PARAMS = {
  tagError: 'invalid WebSocket tags option: ',
  others(key) {
    throw new GoError(`unknown WebSocket's option ${key}`);
  },
};

// -- what the handlers have sent: it leaves when the loop goes on, or before anything that blocks ---

/** [handle, text or ArrayBuffer, what hears of the answer], or [handle, something else, kind] */
let outbox = [];

const packed = ([handle, what, kind]) => {
  if (typeof what === 'string') return what.length <= SHORT ? [handle, what] : [handle, packText(what), 'text'];
  return what instanceof ArrayBuffer ? [handle, pack(what), 'binary'] : [handle, what, kind];
};

onFlush(() => {
  if (!outbox.length) return;
  const entries = outbox;
  outbox = [];
  host('websockets.send', entries.map(packed));
  release();
});

// The usual case, one short text: as the name of the call that waits. It would end at a NUL. The answer is
// often one text too.
let receiver;
onDeparture(() => {
  if (outbox.length !== 1) return undefined;
  const entry = outbox[0];
  const text = entry[1];
  if (typeof text !== 'string' || text.length > SHORT || text.includes('\0')) return undefined;
  outbox.length = 0;
  receiver = entry[2];
  return `\x05${entry[0]}:${text}`;
}, (text, time) => receiver(text, time));

/** How many bytes a text has in UTF-8. */
const byteLength = (text) => {
  let size = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 0x7ff) size += code >= 0xd800 && code < 0xe000 ? 1 : 2;
    else if (code > 0x7f) size += 1;
  }
  return size;
};

/** What `send` takes, as it crosses: a string, or an ArrayBuffer that nobody else has. */
const payloadOf = (data) => {
  if (typeof data === 'string') return data;
  if (data instanceof ArrayBuffer) return data.slice(0);
  if (ArrayBuffer.isView(data) && !(data instanceof DataView)) {
    return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  }
  const bytes = bytesOfBlob(data);
  if (bytes) return bytes.slice().buffer;
  throw new GoError(`unsupported send type ${goType(data)}`);
};

/** The text of an error event about an exception of a handler. */
const onOneLine = (error) => {
  const [text, frame] = describe(error).split('\n\tat ');
  return frame ? `${text} at ${frame.trim()}` : text;
};

const protocolsOf = (protocols) => {
  if (protocols instanceof String || typeof protocols === 'string') return String(protocols);
  return Array.isArray(protocols) ? protocols.map(String).join(', ') : '';
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
  let extensions = [];
  const handlers = { __proto__: null }; // the on... properties
  const listeners = { __proto__: null };

  /** Call who listens: the on... property, then the others as they were added. */
  const fire = (type, event) => {
    const handler = handlers[type];
    const others = listeners[type];
    if (!others) {
      handler?.(event);
      return;
    }
    for (const listener of handler ? [handler, ...others] : [...others]) listener(event);
  };

  const eventOf = (type, timestamp, fields, hidden) => {
    const event = {
      type, target: socket, timestamp, ...fields,
    };
    for (const name of Object.keys(event)) defineProperty(event, name, FIXED);
    for (const [name, value] of Object.entries(hidden ?? {})) defineProperty(event, name, { value });
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
      outbox.push([handle, 1, 'undelivered']);
      return;
    }
    if (!handlers.message && !listeners.message) return;
    const event = defineProperties({
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
    const [kind, first, second, third, fourth] = payload;
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
    outbox.push([handle, payloads.filter(isMessage).length, 'undelivered']);
  });

  const method = (name, value, enumerable = true) => defineProperty(socket, name, { value, enumerable });
  const property = (name, get, set) => defineProperty(socket, name, { get, set, enumerable: true });

  method('addEventListener', (type, listener) => {
    const name = type === undefined || type === null ? '' : String(type);
    if (listener === undefined || listener === null) {
      throw new GoError(`handler for event type "${name}" isn't a callable function`);
    }
    mustBeCallable(listener, 1);
    if (EVENTS.includes(name)) (listeners[name] ??= []).push(listener);
    else host('websockets.warn', `can't add event handler: unknown event type: ${name}`);
  });
  method('removeEventListener', (type, listener) => {
    const at = listeners[type]?.indexOf(listener) ?? -1;
    if (at >= 0) listeners[type].splice(at, 1);
  }, false);
  method('send', (data) => {
    if (state !== OPEN) throw new GoError('InvalidStateError');
    outbox.push([handle, payloadOf(data), message]);
  });
  method('ping', () => {
    if (state !== OPEN) throw new GoError('InvalidStateError');
    outbox.push([handle, null, 'ping']);
  });
  method('close', (code, reason) => {
    if (state === CLOSING || state === CLOSED) return;
    const number = Math.trunc(Number(code)) || 1000;
    const text = reason === undefined || reason === null ? '' : String(reason);
    if (number !== 1000 && !(number >= 3000 && number <= 4999)) {
      throw new GoError("InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be "
        + `either 1000, or between 3000 and 4999. ${number} is neither`);
    }
    if (byteLength(text) > 123) {
      throw new GoError("SyntaxError: Failed to execute 'close' on 'WebSocket': The message must not be "
        + 'greater than 123 bytes');
    }
    state = CLOSING;
    outbox.push([handle, [number, text], 'close']);
  });
  defineProperty(socket, 'url', { value: url, enumerable: true });
  property('readyState', () => state);
  property('bufferedAmount', () => outbox.reduce((size, [owner, what]) => {
    if (owner !== handle) return size;
    if (typeof what === 'string') return size + byteLength(what);
    return what instanceof ArrayBuffer ? size + what.byteLength : size;
  }, host('websockets.buffered', handle)));
  property('extensions', () => extensions);
  property('protocol', () => protocol);
  property('binaryType', () => binaryType, (type) => {
    if (type !== 'blob' && type !== 'arraybuffer') {
      throw new GoError(`unknown binaryType ${type}, the supported ones are "blob" and "arraybuffer"`);
    }
    binaryType = type;
  });
  for (const type of EVENTS) {
    property(`on${type}`, () => {
      // As in k6: always a function, which calls nothing but gives what was assigned.
      const handler = handlers[type];
      return () => handler;
    }, (handler) => {
      if (handler !== undefined && handler !== null && typeof handler !== 'function') {
        throw new GoError(`a value for 'on${type}' should be callable`);
      }
      handlers[type] = handler ?? undefined;
    });
  }
  return socket;
}

export { Blob };

const websockets = { WebSocket, Blob };
export { websockets as default };
