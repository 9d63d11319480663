// jsrunner:k6/net/grpc/stream — streams: calls whose messages are events on the VU's event loop.
// @ts-check
import { bindContext } from 'jsrunner:core';
import { GoError, mustBeCallable } from 'jsrunner:errors';
import { onOneLine } from 'jsrunner:error_lines';
import { host } from 'jsrunner:host';
import { numberOf } from 'jsrunner:k6/net/grpc/clients';
import { callParams } from 'jsrunner:k6/net/grpc/params';
import { jsonOf } from 'jsrunner:k6/net/grpc/requests';
import { codeOf } from 'jsrunner:k6/net/grpc/status';
import {
  drainJobs, forget, listen, onFailure,
} from 'jsrunner:loop';
import {
  ArrayFromSafe, ArrayPrototypePush, JSONStringify, MathTrunc, Object, ObjectDefineProperty, SafeArray, SafeMap, String,
  isInstance,
} from 'jsrunner:primordials';
import { asText, isNullish, isObject } from 'jsrunner:values';

// Kinds of events that streaming.py posts.
const DATA = 0;
const OVER = 2;
const END = 3;

const UNKNOWN = 2;
const EVENTS = { __proto__: null, data: 0, error: 0, end: 0, status: 0 };

/** The argument of error handlers. */
class StreamError {
  code;
  details;
  error;
  message;
  #text;
  constructor(code, message, count) {
    this.code = codeOf(code);
    const details = SafeArray();
    for (let i = 0; i < count; i += 1) ArrayPrototypePush(details, {});
    this.details = ArrayFromSafe(details);
    this.message = message;
    const text = 'code: ' + code + ', message: ' + message;
    this.#text = text;
    this.error = () => text;
  }
  toString() {
    return this.#text;
  }
}
ObjectDefineProperty(StreamError, 'name', { __proto__: null, value: 'Object' });

/** Functions that cancel the open streams of a failed iteration. Their events still reach the script. */
const openStreams = new SafeMap();
onFailure(() => openStreams.forEach((cancel) => cancel()));

const metaOf = (time) => ({ ts: MathTrunc(time / 1000) });

// As in k6, Stream works without 'new'.
export function Stream(client, method, params) {
  if (isNullish(client)) throw new GoError("invalid GRPC Stream's client: empty gRPC client");
  const number = numberOf(client);
  if (number === undefined) throw new GoError("invalid GRPC Stream's client: not a gRPC client");
  const path = String(method);
  let read;
  try {
    read = callParams(params);
  } catch (error) {
    host('k6_net_grpc_stream.check', number, path);
    if (!isInstance(GoError, error)) throw error;
    throw new GoError("invalid GRPC Stream's parameters: " + error.message);
  }

  const stream = {};
  const handlers = { __proto__: null };
  let isWriting = true;
  let isClosed = false; // the end event is queued
  let hasEnded = false; // the end event was delivered
  let isOver = false; // the call has ended

  const forgetIfOver = () => {
    if (hasEnded && isOver) {
      openStreams.delete(handle);
      forget(handle);
    }
  };

  const fire = (type, value, time) => {
    const list = handlers[type];
    const count = list ? list.length : 0; // a handler added by a handler is called from the next event on
    for (let i = 0; i < count; i += 1) {
      if (i > 0) drainJobs();
      const handler = list[i];
      handler(value, metaOf(time));
    }
  };

  const close = () => {
    if (isClosed) return;
    isClosed = true;
    host('k6_net_grpc_stream.closed', handle);
  };

  const fail = (code, message, count, time, text) => {
    close();
    if (!handlers.error) {
      host('k6_net_grpc_stream.warn', 'no handlers for error registered, but an error happened: ' + text);
    }
    fire('error', new StreamError(code, message, count), time);
  };

  const receive = (event, time) => {
    if (event[0] === DATA) {
      try {
        fire('data', event[1], time);
      } catch (error) {
        const text = onOneLine(error);
        fail(UNKNOWN, text, 0, time, text);
        throw error;
      }
      return;
    }
    if (event[0] === END) {
      hasEnded = true;
      forgetIfOver();
      fire('end', {}, time);
      return;
    }
    if (event[0] === OVER) isOver = true;
    if (event[1] === 0) close();
    else fail(event[1], event[2], event[3], time, event[4]);
    forgetIfOver();
  };

  const handle = host('k6_net_grpc_stream.create', number, path, read);
  listen(handle, receive, true);
  try {
    host('k6_net_grpc_stream.open', handle);
  } catch (error) {
    forget(handle);
    throw error;
  }
  openStreams.set(handle, () => host('k6_net_grpc_stream.cancel', handle));

  const constant = (name, value) => {
    ObjectDefineProperty(stream, name, { __proto__: null, value, enumerable: true });
  };
  constant('on', (type, handler) => {
    const name = asText(type);
    if (isNullish(handler)) throw new GoError('handler for ' + JSONStringify(name) + " event isn't a callable function");
    mustBeCallable(handler, 1, 'func(sobek.Value, sobek.Value) (sobek.Value, error)');
    if (name in EVENTS) {
      ArrayPrototypePush(handlers[name] ??= SafeArray(), bindContext(handler));
    } else {
      host('k6_net_grpc_stream.warn', "can't register " + name + " event handler: unknown GRPC stream's event type: " + name);
    }
  });
  constant('write', (message) => {
    if (!isWriting) return;
    if (isNullish(message)) {
      host('k6_net_grpc_stream.warn', "can't send empty message");
      return;
    }
    const json = isObject(message) ? jsonOf(message) : JSONStringify(Object(message));
    host('k6_net_grpc_stream.write', handle, json ?? 'null');
  });
  constant('end', () => {
    if (!isWriting) return;
    isWriting = false;
    host('k6_net_grpc_stream.end', handle);
  });
  return stream;
}
