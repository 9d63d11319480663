// k6/websockets: https://grafana.com/docs/k6/latest/javascript-api/k6-websockets/
// Sockets whose events run on the VU's event loop. Beyond k6, the error event of a refused handshake has
// the properties 'status', 'headers' and 'body'. They are not enumerable, so the event prints like k6's.
// @ts-check
import { Blob, blobOf, bytesOfBlob } from 'jsrunner:blob';
import { copyOf } from 'jsrunner:bytes';
import { context } from 'jsrunner:context';
import { bindContext, createSession } from 'jsrunner:core';
import { onOneLine } from 'jsrunner:error_lines';
import { GoError, mustBeCallable } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import { host } from 'jsrunner:host';
import {
  OWN, addTimer, drainJobs, isWindingDown, onFailure, queueTask, removeTimer,
} from 'jsrunner:loop';
import {
  ArrayBuffer, ArrayBufferIsView, ArrayFromSafe, ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypeJoin,
  ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSlice, DataView, MathTrunc, NumberIsFinite, ObjectDefineProperties,
  ObjectDefineProperty, ObjectKeys, SafeArray, SafeMap, String, StringPrototypeCharCodeAt,
  Uint8Array, isInstance,
} from 'jsrunner:primordials';
import {
  ABNORMAL, BINARY, CLOSE, END, FAILED, OPEN as OPENED, PING, PONG, RESET, TEXT, TOO_BIG, UNEXPECTED_END,
  VIOLATION, WRITE_FAILED, closeText, tooBigText,
} from 'jsrunner:session';
import { now } from 'jsrunner:samples';
import { INT64_END, asNumber, asText } from 'jsrunner:values';
import { wsParams } from 'jsrunner:ws_params';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const NORMAL = 1000;
const GOING_AWAY = 1001;
/** The close code that k6 shows for a number beyond 64 bits. */
const INT64_LEAST = '-9223372036854775808';
const EVENTS = ['message', 'error', 'open', 'close', 'ping', 'pong'];
/**
 * Milliseconds a server gets, after close(), to read more of what was sent, to send its close frame, or to end the
 * handshake. k6 waits for ever.
 */
const CLOSE_TIMEOUT = 10_000;
const NO_ANSWER = 'the server did not answer the close frame in time';

/** Attributes of an event's properties, which are read-only. */
const FIXED = { __proto__: null, writable: false, configurable: false };

const PARAMS = {
  __proto__: null,
  tagError: 'invalid WebSocket tags option: ',
  others(key) {
    throw new GoError("unknown WebSocket's option " + key);
  },
};

/** Functions that close the open sockets of a failed iteration. Their close events still reach the script. */
const closings = new SafeMap();
onFailure((isRejection) => closings.forEach((close) => close(isRejection)));

/** State constants of WebSocket and of each instance (https://websockets.spec.whatwg.org/#the-websocket-interface). */
const STATES = {
  __proto__: null,
  CONNECTING: { __proto__: null, value: CONNECTING },
  OPEN: { __proto__: null, value: OPEN },
  CLOSING: { __proto__: null, value: CLOSING },
  CLOSED: { __proto__: null, value: CLOSED },
};

/** Return the number of bytes of a text in UTF-8. A lone surrogate counts as three bytes. */
const byteLength = (text) => {
  let size = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const code = StringPrototypeCharCodeAt(text, i);
    if (code > 0x7ff) size += 2;
    else if (code > 0x7f) size += 1;
    // A surrogate pair has two units and four bytes. At the end of the text `next` is NaN and no comparison holds.
    const next = code >= 0xd800 && code < 0xdc00 ? StringPrototypeCharCodeAt(text, i + 1) : 0;
    if (next >= 0xdc00 && next < 0xe000) i += 1;
  }
  return size;
};

/** Return the ArrayBuffer to send for an ArrayBuffer, a typed array or a Blob. */
const bufferOf = (data) => {
  if (isInstance(ArrayBuffer, data)) return data;
  if (ArrayBufferIsView(data) && !isInstance(DataView, data)) return copyOf(data);
  const bytes = bytesOfBlob(data);
  if (bytes) return copyOf(bytes);
  throw new GoError('unsupported send type ' + goType(data));
};

/** Return the value of Sec-WebSocket-Protocol, null for none. */
const protocolsOf = (protocols) => {
  if (typeof protocols === 'string' || isInstance(String, protocols)) return String(protocols);
  if (!ArrayIsArray(protocols) || protocols.length === 0) return null;
  return ArrayPrototypeJoin(ArrayPrototypeMap(protocols, (protocol) => String(protocol)), ', ');
};

// As in k6, WebSocket works without 'new', and the returned socket is no instance of WebSocket.
export function WebSocket(address, protocols, params) {
  if (context.inInit) throw new GoError('using websockets in the init context is not supported');
  if (address === undefined || address === null) throw new GoError('WebSocket requires a url');
  const url = host('session.parse', String(address));
  const { headers, tags, jar, compression } = wsParams(params, PARAMS);

  const socket = ObjectDefineProperties({}, STATES);
  let session; // eslint-disable-line prefer-const
  let state = CONNECTING;
  let binaryType = 'blob';
  let protocol = '';
  let extensions = ArrayFromSafe(SafeArray());
  let wanted; // the code and reason passed to close()
  let closeTimer = 0;
  let isAbandoned = false; // the iteration failed while this socket was connecting
  let abandonedBy = false; // true if it failed by a rejected promise, false if by an exception
  let wasReset = false; // set by a failed write; a read sees the same reset as an orderly end
  const assigned = { __proto__: null }; // the on... properties
  const handlers = { __proto__: null }; // the same functions, bound to the context of their assignment
  const listeners = { __proto__: null };

  /**
   * Call the on... property, then the listeners in the order of their addition. As in k6, promise jobs run
   * after each call.
   */
  const fire = (type, event, makeNext) => {
    const handler = handlers[type];
    // A listener that is added by a listener is called from the next event on.
    const others = listeners[type] && ArrayPrototypeSlice(listeners[type]);
    if (handler) handler(event);
    for (let i = 0; i < others?.length; i += 1) {
      if (i > 0 || handler) drainJobs();
      const listener = others[i];
      try {
        listener(makeNext && (i > 0 || handler) ? makeNext() : event);
      } catch (error) {
        throw isInstance(GoError, error) ? error.value : error; // as in k6, without the name and the place
      }
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
    removeTimer(closeTimer);
    closings.delete(closeForGood);
    session.shut();
    session.stop();
    session.finish();
    if (error !== null) {
      fire('error', eventOf('error', time, { error }, response));
      drainJobs();
    }
    fire('close', eventOf('close', time, code === null ? { reason } : { code, reason }));
  };

  /** Close the connection after an exception of a handler. */
  const abort = (error, time) => {
    if (state !== CLOSED) {
      try {
        closed(onOneLine(error), wanted ? wanted.code : null, '', null, time);
      } catch {
        // the iteration fails with the first exception, which is thrown below
      }
    }
    throw error;
  };

  const message = (data, timestamp) => {
    if (state !== OPEN || (!handlers.message && !listeners.message)) return;
    const event = session.messageEvent(socket, timestamp, data, url);
    try {
      if (listeners.message) fire('message', event);
      else { const handler = handlers.message; handler(event); }
    } catch (error) {
      abort(error, timestamp);
    }
  };

  const opened = (outcome, time) => {
    protocol = outcome.protocol;
    extensions = outcome.extensions;
    if (state !== CONNECTING) {
      session.sendClose(wanted.code, wanted.reason);
      return;
    }
    state = OPEN;
    removeTimer(closeTimer); // that of the handshake: a handler may call close(), which has its own
    try {
      const makeEvent = () => eventOf('open', time);
      fire('open', makeEvent(), makeEvent); // as in k6, each listener gets an event object of its own
    } catch (error) {
      abort(error, time);
    }
    if (isAbandoned) closeForGood(abandonedBy);
  };

  const receive = (kind, value, reason, time) => {
    switch (kind) {
      case TEXT: message(value, time); break;
      case BINARY:
        message(binaryType === 'blob' ? blobOf(new Uint8Array(value)) : value, time);
        break;
      case PING: fire('ping', eventOf('ping', time)); break;
      case PONG:
        if (!value) host('session.warn', 'received pong for unknown ping ID ' + reason);
        fire('pong', eventOf('pong', time));
        break;
      case OPENED: opened(value, time); break;
      case FAILED:
        extensions = value.extensions;
        closed(value.failure, null, '', value.response, time);
        break;
      case CLOSE:
        closed(value === NORMAL || value === GOING_AWAY ? null : closeText(value, reason), value, reason, null, time);
        break;
      case END:
        if (state === CLOSING && wanted) closed(null, wanted.code, '', null, time);
        else if (wasReset) closed(null, null, '', null, time);
        else closed(closeText(ABNORMAL, UNEXPECTED_END), ABNORMAL, UNEXPECTED_END, null, time);
        break;
      case VIOLATION:
        if (value === TOO_BIG) closed(tooBigText(reason), TOO_BIG, '', null, time);
        else closed(null, wanted ? wanted.code : null, '', null, time);
        break;
      case RESET: closed(null, wanted ? wanted.code : null, '', null, time); break;
      case WRITE_FAILED: wasReset = true; break;
      default:
    }
  };

  session = createSession(receive, false);
  session.dial(url, headers, tags, jar, compression, protocolsOf(protocols));

  const constant = (name, value) => {
    ObjectDefineProperty(socket, name, { __proto__: null, value, enumerable: true });
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
    mustBeCallable(listener, 1, 'func(sobek.Value) (sobek.Value, error)');
    if (ArrayPrototypeIncludes(EVENTS, name)) ArrayPrototypePush(listeners[name] ??= SafeArray(), bindContext(listener));
    else host('session.warn', "can't add event handler: unknown event type: " + name);
  });
  constant('send', (data) => {
    if (state !== OPEN) throw new GoError('InvalidStateError');
    if (typeof data === 'string') session.sendText(data);
    else if (typeof data === 'symbol') session.sendText(asText(data));
    else session.sendBinary(bufferOf(data));
  });
  constant('ping', () => {
    if (state !== OPEN) throw new GoError('InvalidStateError');
    session.ping();
  });
  /** Wait for the server's close frame. `unsent` bytes were not read by the server a period before. */
  const awaitClose = (unsent) => {
    closeTimer = addTimer(() => {
      const left = session.unsent();
      if (left < unsent && (left > 0 || unsent !== Infinity)) awaitClose(left);
      else closed(NO_ANSWER, ABNORMAL, NO_ANSWER, null, now());
    }, CLOSE_TIMEOUT, -1, OWN);
  };
  const beginClose = (number, text) => {
    wanted = { __proto__: null, code: number, reason: text };
    if (state === CONNECTING) {
      closeTimer = addTimer(() => host('session.cancel', session.id()), CLOSE_TIMEOUT, -1, OWN);
    } else {
      session.sendClose(number, text);
      awaitClose(Infinity);
    }
    state = CLOSING;
  };
  const stopSamples = () => {
    session.stopSamples();
    if (state === CONNECTING) host('session.stop_samples', session.id());
  };
  function closeForGood(isRejection) {
    stopSamples(); // as in k6, the iteration's samples end with its failure
    if (state === OPEN && isRejection) {
      // As in k6, the close event comes at once. When the iteration ends, the core sends what waits, and a close frame.
      state = CLOSED;
      session.stop();
      fire('close', eventOf('close', now(), { code: NORMAL, reason: '' }));
    } else if (state === OPEN) {
      beginClose(NORMAL, '');
    } else if (state === CONNECTING) {
      const failure = session.isNew() ? host('session.give_up_dialing', session.id(), url) : undefined;
      if (failure) closed(failure, null, '', null, now());
      else { // as in k6, the handshake completes, then the socket is closed
        isAbandoned = true;
        abandonedBy = isRejection;
        closeTimer = addTimer(() => host('session.cancel', session.id()), CLOSE_TIMEOUT, -1, OWN);
      }
    }
  }
  closings.set(closeForGood, closeForGood);
  constant('close', (code, reason) => {
    if (state === CLOSING || state === CLOSED) return;
    const given = asNumber(code);
    const number = (NumberIsFinite(given) && MathTrunc(given)) || NORMAL;
    const text = asText(reason);
    if (number !== NORMAL && !(number >= 3000 && number <= 4999)) {
      throw new GoError("InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be "
        + 'either 1000, or between 3000 and 4999. ' + (number > -INT64_END && number < INT64_END ? number : INT64_LEAST) + ' is neither');
    }
    if (byteLength(text) > 123) {
      throw new GoError("SyntaxError: Failed to execute 'close' on 'WebSocket': The message must not be "
        + 'greater than 123 bytes');
    }
    beginClose(number, text);
  });
  constant('url', url);
  property('readyState', () => state);
  property('bufferedAmount', () => session.buffered());
  property('extensions', () => ArrayFromSafe(ArrayPrototypeSlice(extensions))); // as in k6, a list of its own for each reader
  property('protocol', () => protocol);
  property('binaryType', () => binaryType, (value) => {
    const type = asText(value);
    if (type !== 'blob' && type !== 'arraybuffer') {
      throw new GoError('unknown binaryType ' + type + ', the supported ones are "blob" and "arraybuffer"');
    }
    binaryType = type;
  });
  for (let i = 0; i < EVENTS.length; i += 1) {
    const type = EVENTS[i];
    property('on' + type, () => {
      // As in k6, the getter always returns a function. Calling that function returns the assigned value.
      const handler = assigned[type];
      return () => handler;
    }, (handler) => {
      if (handler !== undefined && handler !== null && typeof handler !== 'function') {
        throw new GoError("a value for 'on" + type + "' should be callable");
      }
      assigned[type] = handler ?? undefined;
      handlers[type] = bindContext(assigned[type]);
    });
  }
  if (isWindingDown()) { // as in k6, a socket that is made after the iteration's failure gets no connection
    stopSamples();
    const failure = host('session.give_up_dialing', session.id(), url);
    queueTask(() => {
      if (failure) closed(failure, null, '', null, now());
      else closeForGood(false);
    });
  }
  return socket;
}

ObjectDefineProperties(WebSocket, STATES);

export { Blob };
