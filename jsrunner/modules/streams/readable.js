// jsrunner:streams/readable — ReadableStream with its default reader and controller, as in
// https://streams.spec.whatwg.org/#rs (whose names the functions have), without byte streams, tee and pipes.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { ArrayPrototypeShift } from 'jsrunner:more_primordials';
import {
  ArrayPrototypePush, ObjectCreate, Promise, PromisePrototypeThen, SafeArray, SafeWeakMap, String, TypeError,
} from 'jsrunner:primordials';
import { rejection } from 'jsrunner:promises';
import {
  Queue, algorithm, attempt, checkedStrategy, defineFixed, defineGetter, noConstructor, promiseOf, refusal, rejected,
  resolved, state, strategyOf, underlying,
} from 'jsrunner:streams/queue';
import { isNullish } from 'jsrunner:values';

/** ReadableStream -> its internal slots of the specification. */
const streams = new SafeWeakMap();

const isLocked = (stream) => stream.reader !== undefined;

/** Call `settle(request)` for each pending read request of a reader. */
const settleRequests = (reader, settle) => {
  const { requests } = reader;
  reader.requests = SafeArray();
  for (let i = 0; i < requests.length; i += 1) settle(requests[i]);
};

const notSupported = (what) => {
  const message = what + ' is not supported yet';
  throw new GoError('NotSupportedError:' + message, { __proto__: null, name: 'NotSupportedError', message });
};

// -- the stream ------------------------------------------------------------------------------------

const close = (stream) => {
  stream.state = 'closed';
  const { reader } = stream;
  if (!reader) return;
  reader.closed.resolve(undefined);
  settleRequests(reader, (request) => request.resolve({ value: undefined, done: true }));
};

const fail = (stream, error) => {
  stream.state = 'errored';
  stream.error = error;
  const { reader } = stream;
  if (!reader) return;
  reader.closed.reject(error);
  settleRequests(reader, (request) => request.reject(error));
};

const nothing = () => undefined;

const cancel = (stream, reason) => {
  if (stream.state === 'closed') return promiseOf(undefined);
  if (stream.state === 'errored') return rejection(stream.error);
  close(stream);
  const { controller } = stream;
  controller.queue.drop();
  const done = attempt(controller.cancel, reason);
  clearAlgorithms(controller);
  return PromisePrototypeThen(done, nothing);
};

// -- its controller --------------------------------------------------------------------------------

const clearAlgorithms = (controller) => {
  controller.pull = undefined;
  controller.cancel = undefined;
  controller.sizeOf = undefined;
};

const canCloseOrEnqueue = ({ stream, closeRequested }) => !closeRequested && stream.state === 'readable';

const checkOpen = (controller) => {
  if (!canCloseOrEnqueue(controller)) throw new TypeError('cannot close or enqueue');
};

const desiredSize = ({ stream, queue, highWaterMark }) => {
  if (stream.state === 'errored') return null;
  return stream.state === 'closed' ? 0 : highWaterMark - queue.total;
};

const controllerError = (controller, error) => {
  if (controller.stream.state !== 'readable') return;
  controller.queue.drop();
  clearAlgorithms(controller);
  fail(controller.stream, error);
};

const shouldPull = (controller) => {
  const { stream } = controller;
  if (!canCloseOrEnqueue(controller) || !controller.started) return false;
  return (isLocked(stream) && stream.reader.requests.length > 0) || desiredSize(controller) > 0;
};

const callPullIfNeeded = (controller) => {
  if (!shouldPull(controller)) return;
  if (controller.pulling) {
    controller.pullAgain = true;
    return;
  }
  controller.pulling = true;
  PromisePrototypeThen(attempt(controller.pull), () => {
    controller.pulling = false;
    if (controller.pullAgain) {
      controller.pullAgain = false;
      callPullIfNeeded(controller);
    }
  }, (error) => controllerError(controller, error));
};

const enqueue = (controller, chunk) => {
  checkOpen(controller);
  const { stream } = controller;
  if (isLocked(stream) && stream.reader.requests.length) {
    ArrayPrototypeShift(stream.reader.requests).resolve({ value: chunk, done: false });
  } else {
    try {
      controller.queue.append(chunk, controller.sizeOf(chunk));
    } catch (error) {
      controllerError(controller, error);
      throw error;
    }
  }
  callPullIfNeeded(controller);
};

const requestClose = (controller) => {
  checkOpen(controller);
  controller.closeRequested = true;
  if (controller.queue.count) return;
  clearAlgorithms(controller);
  close(controller.stream);
};

const pullSteps = (controller, request) => {
  if (!controller.queue.count) {
    ArrayPrototypePush(controller.stream.reader.requests, request);
    callPullIfNeeded(controller);
    return;
  }
  const value = controller.queue.take();
  if (controller.closeRequested && !controller.queue.count) {
    clearAlgorithms(controller);
    close(controller.stream);
  } else {
    callPullIfNeeded(controller);
  }
  request.resolve({ value, done: false });
};

/** Return the controller's object for scripts. */
const faceOf = (controller) => {
  const members = defineFixed({}, {
    __proto__: null,
    constructor: noConstructor('ReadableStreamDefaultController'),
    close: () => requestClose(controller),
    enqueue: (chunk) => enqueue(controller, chunk),
    error: (reason) => controllerError(controller, reason),
  });
  defineGetter(members, 'desiredSize', () => desiredSize(controller));
  return ObjectCreate(members);
};

/** Return a method of the source. As in k6, a member that is undefined is an error. */
const methodOf = (source, name) => (source !== undefined && name in source
  ? algorithm(source, source[name], 'underlyingSource.[[' + name + ']]') : nothing);

const setUp = (stream, source, { highWaterMark, sizeOf }) => {
  const controller = {
    __proto__: null, stream, queue: new Queue(), highWaterMark, sizeOf, started: false, closeRequested: false, pulling: false,
    pullAgain: false, pull: undefined, cancel: undefined,
  };
  stream.controller = controller;
  const face = faceOf(controller);
  const start = methodOf(source, 'start');
  const pull = methodOf(source, 'pull');
  controller.pull = () => pull(face);
  controller.cancel = methodOf(source, 'cancel');
  PromisePrototypeThen(promiseOf(start(face)), () => {
    controller.started = true;
    callPullIfNeeded(controller);
  }, (error) => controllerError(controller, error));
};

// -- its reader ------------------------------------------------------------------------------------

const RELEASED = 'stream is undefined';

const release = (reader) => {
  const { stream } = reader;
  if (!stream) return;
  if (stream.state === 'readable') reader.closed.reject(new TypeError('stream is readable'));
  else reader.closed = rejected(new TypeError('stream is not readable'));
  stream.reader = undefined;
  reader.stream = undefined;
  const error = new TypeError('reader released');
  settleRequests(reader, (request) => request.reject(error));
};

/** Return a reader of the stream. As in k6, its methods do not use `this`. */
const acquireReader = (stream) => {
  if (isLocked(stream)) throw new TypeError('stream is locked');
  const closed = stream.state === 'readable' ? state() : stream.state === 'closed' ? resolved() : rejected(stream.error);
  const reader = { __proto__: null, stream, closed, requests: SafeArray() };
  stream.reader = reader;
  const face = {};
  defineGetter(face, 'closed', () => reader.closed.promise);
  return defineFixed(face, {
    __proto__: null,
    cancel: (reason) => (reader.stream ? cancel(reader.stream, reason) : refusal(RELEASED)),
    read() {
      const source = reader.stream;
      if (!source) return refusal(RELEASED);
      return new Promise((resolve, reject) => {
        if (source.state === 'closed') resolve({ value: undefined, done: true });
        else if (source.state === 'errored') reject(source.error);
        else pullSteps(source.controller, { __proto__: null, resolve, reject });
      });
    },
    releaseLock: () => release(reader),
  });
};

const getReader = (stream, options) => {
  if (!isNullish(options)) {
    if (typeof options !== 'object' && typeof options !== 'function') {
      throw new TypeError('could not convert function call parameter 0: could not convert ' + String(options)
        + ' to sobek.Object');
    }
    const { mode } = options;
    if (mode === 'byob') notSupported("'byob' mode");
    if (mode !== undefined) throw new TypeError("options.mode is not 'byob'");
  }
  return acquireReader(stream);
};

// -- objects for scripts ------------------------------------------------------------------------------

// Except for writable streams, k6's constructors work without `new` and have a length of 0.
export function ReadableStream(underlyingSource = undefined, strategy = undefined) {
  if (!new.target) return new ReadableStream(underlyingSource, strategy);
  const given = strategyOf(strategy);
  const source = underlying(underlyingSource, 'underlyingSource');
  const type = source?.type;
  if (type === 'bytes') notSupported("'bytes' stream");
  if (type !== undefined) throw new TypeError('invalid underlying source type');
  const stream = {
    __proto__: null, state: 'readable', error: undefined, reader: undefined, controller: undefined,
  };
  setUp(stream, source, checkedStrategy(given));
  streams.set(this, stream);
  defineGetter(this, 'locked', () => isLocked(stream));
  defineFixed(this, {
    __proto__: null,
    cancel: (reason) => (isLocked(stream) ? refusal('cannot cancel a locked stream') : cancel(stream, reason)),
    getReader: (options) => getReader(stream, options),
    tee: () => notSupported("'tee()'"),
  });
}

export function ReadableStreamDefaultReader() {
  if (arguments.length !== 1) throw new TypeError('ReadableStreamDefaultReader takes a single argument');
  const { 0: value } = arguments;
  const stream = typeof value === 'object' && value !== null ? streams.get(value) : undefined;
  if (!stream) throw new TypeError('ReadableStreamDefaultReader argument must be a ReadableStream');
  return acquireReader(stream);
}
