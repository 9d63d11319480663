// jsrunner:streams/writable — WritableStream with its default writer and controller, as in
// https://streams.spec.whatwg.org/#ws (whose names the functions have), without abort signals.
// @ts-check
import { ArrayPrototypeShift } from 'jsrunner:more_primordials';
import {
  ArrayPrototypePush, Boolean, ObjectCreate, ObjectDefineProperty, ObjectKeys, Promise, PromisePrototypeThen,
  RangeError, SafeArray, SafeWeakMap, TypeError,
} from 'jsrunner:primordials';
import { rejection } from 'jsrunner:promises';
import {
  Queue, algorithm, attempt, checkedStrategy, defineFixed, defineGetter, deferred, noConstructor, promiseOf, refusal, rejected,
  resolved, state, strategyOf, underlying,
} from 'jsrunner:streams/queue';
import { defineMethods, isObject } from 'jsrunner:values';

/** WritableStream, or writer -> its internal slots of the specification. */
const streams = new SafeWeakMap();
const writers = new SafeWeakMap();

/** The mark of the end in the queue, behind the last chunk. */
const CLOSE = { __proto__: null };

const isLocked = (stream) => stream.writer !== undefined;
const closeQueuedOrInFlight = (stream) => Boolean(stream.closeRequest || stream.inFlightClose);

// -- the stream ------------------------------------------------------------------------------------

const abort = (stream, reason) => {
  if (stream.state === 'closed' || stream.state === 'errored') return promiseOf(undefined);
  if (stream.pendingAbort) return stream.pendingAbort.promise;
  const wasErroring = stream.state === 'erroring';
  const request = deferred();
  stream.pendingAbort = { __proto__: null, ...request, reason: wasErroring ? undefined : reason, wasErroring };
  if (!wasErroring) startErroring(stream, reason);
  return request.promise;
};

const close = (stream) => {
  if (stream.state === 'closed' || stream.state === 'errored') {
    return refusal('stream is already closed or errored');
  }
  const request = deferred();
  stream.closeRequest = request;
  if (stream.writer && stream.backpressure && stream.state === 'writable') stream.writer.ready.resolve(undefined);
  stream.controller.queue.append(CLOSE, 0);
  advanceQueueIfNeeded(stream.controller);
  return request.promise;
};

const updateBackpressure = (stream, backpressure) => {
  const { writer } = stream;
  if (writer && backpressure !== stream.backpressure) {
    if (backpressure) writer.ready = state();
    else writer.ready.resolve(undefined);
  }
  stream.backpressure = backpressure;
};

/** Reject the writer's promise `ready` or `closed`. A promise that is already settled is replaced. */
const rejectState = (writer, name, error) => {
  if (writer[name].pending) writer[name].reject(error);
  else writer[name] = rejected(error);
};

const startErroring = (stream, reason) => {
  stream.state = 'erroring';
  stream.error = reason;
  if (stream.writer) rejectState(stream.writer, 'ready', reason);
  if (!stream.inFlightWrite && !stream.inFlightClose && stream.controller.started) finishErroring(stream);
};

const finishErroring = (stream) => {
  const { controller } = stream;
  stream.state = 'errored';
  controller.queue.drop();
  const { writeRequests } = stream;
  stream.writeRequests = SafeArray();
  for (let i = 0; i < writeRequests.length; i += 1) writeRequests[i].reject(stream.error);
  const request = stream.pendingAbort;
  if (!request) {
    rejectCloseAndClosed(stream);
    return;
  }
  stream.pendingAbort = undefined;
  if (request.wasErroring) {
    request.reject(stream.error);
    rejectCloseAndClosed(stream);
    return;
  }
  const done = attempt(controller.abort, request.reason);
  clearAlgorithms(controller);
  PromisePrototypeThen(done, () => {
    request.resolve(undefined);
    rejectCloseAndClosed(stream);
  }, (error) => {
    request.reject(error);
    rejectCloseAndClosed(stream);
  });
};

const rejectCloseAndClosed = (stream) => {
  if (stream.closeRequest) {
    stream.closeRequest.reject(stream.error);
    stream.closeRequest = undefined;
  }
  stream.writer?.closed.reject(stream.error);
};

const dealWithRejection = (stream, error) => {
  if (stream.state === 'writable') startErroring(stream, error);
  else finishErroring(stream);
};

const finishInFlightClose = (stream) => {
  stream.inFlightClose.resolve(undefined);
  stream.inFlightClose = undefined;
  if (stream.state === 'erroring') {
    stream.error = undefined;
    if (stream.pendingAbort) {
      stream.pendingAbort.resolve(undefined);
      stream.pendingAbort = undefined;
    }
  }
  stream.state = 'closed';
  stream.writer?.closed.resolve(undefined);
};

const finishInFlightCloseWithError = (stream, error) => {
  stream.inFlightClose.reject(error);
  stream.inFlightClose = undefined;
  if (stream.pendingAbort) {
    stream.pendingAbort.reject(error);
    stream.pendingAbort = undefined;
  }
  dealWithRejection(stream, error);
};

// -- its controller --------------------------------------------------------------------------------

const clearAlgorithms = (controller) => {
  controller.write = undefined;
  controller.close = undefined;
  controller.abort = undefined;
  controller.sizeOf = undefined;
};

const desiredSize = ({ highWaterMark, queue }) => highWaterMark - queue.total;
const hasBackpressure = (controller) => desiredSize(controller) <= 0;

const controllerError = (controller, error) => {
  clearAlgorithms(controller);
  startErroring(controller.stream, error);
};

const errorIfNeeded = (controller, error) => {
  if (controller.stream.state === 'writable') controllerError(controller, error);
};

const advanceQueueIfNeeded = (controller) => {
  const { stream, queue } = controller;
  if (!controller.started || stream.inFlightWrite) return;
  if (stream.state === 'erroring') {
    finishErroring(stream);
  } else if (queue.count) {
    if (queue.peek() === CLOSE) processClose(controller);
    else processWrite(controller, queue.peek());
  }
};

const processClose = (controller) => {
  const { stream } = controller;
  stream.inFlightClose = stream.closeRequest;
  stream.closeRequest = undefined;
  controller.queue.take();
  const done = attempt(controller.close);
  clearAlgorithms(controller);
  PromisePrototypeThen(done, () => finishInFlightClose(stream), (error) => finishInFlightCloseWithError(stream, error));
};

const processWrite = (controller, chunk) => {
  const { stream } = controller;
  stream.inFlightWrite = ArrayPrototypeShift(stream.writeRequests);
  PromisePrototypeThen(attempt(controller.write, chunk), () => {
    stream.inFlightWrite.resolve(undefined);
    stream.inFlightWrite = undefined;
    controller.queue.take();
    if (!closeQueuedOrInFlight(stream) && stream.state === 'writable') {
      updateBackpressure(stream, hasBackpressure(controller));
    }
    advanceQueueIfNeeded(controller);
  }, (error) => {
    if (stream.state === 'writable') clearAlgorithms(controller);
    stream.inFlightWrite.reject(error);
    stream.inFlightWrite = undefined;
    dealWithRejection(stream, error);
  });
};

const chunkSize = (controller, chunk) => {
  if (!controller.sizeOf) return 1;
  try {
    return controller.sizeOf(chunk);
  } catch (error) {
    errorIfNeeded(controller, error);
    return 1;
  }
};

const enqueue = (controller, chunk, size) => {
  const { stream } = controller;
  try {
    controller.queue.append(chunk, size);
  } catch (error) {
    errorIfNeeded(controller, error);
    return;
  }
  if (!closeQueuedOrInFlight(stream) && stream.state === 'writable') {
    updateBackpressure(stream, hasBackpressure(controller));
  }
  advanceQueueIfNeeded(controller);
};

/** Return the controller's object for scripts. */
const faceOf = (controller) => ObjectCreate(defineFixed({}, {
  __proto__: null,
  constructor: noConstructor('WritableStreamDefaultController'),
  error: (reason) => errorIfNeeded(controller, reason),
}));

const nothing = () => undefined;

const methodOf = (sink, name) => (sink?.[name] === undefined
  ? nothing : algorithm(sink, sink[name], 'underlyingSink.[[' + name + ']]'));

const setUp = (stream, sink, { highWaterMark, sizeOf }) => {
  const controller = {
    __proto__: null, stream, queue: new Queue(), highWaterMark, sizeOf, started: false, write: undefined, close: undefined,
    abort: undefined,
  };
  stream.controller = controller;
  const face = faceOf(controller);
  const start = methodOf(sink, 'start');
  const write = methodOf(sink, 'write');
  controller.write = (chunk) => write(chunk, face);
  const end = methodOf(sink, 'close');
  controller.close = () => end();
  const stop = methodOf(sink, 'abort');
  controller.abort = (reason) => stop(reason);
  updateBackpressure(stream, hasBackpressure(controller));
  PromisePrototypeThen(promiseOf(start(face)), () => {
    controller.started = true;
    advanceQueueIfNeeded(controller);
  }, (error) => {
    controller.started = true;
    dealWithRejection(stream, error);
  });
};

// -- its writer ------------------------------------------------------------------------------------

/** Return the promises [ready, closed] of a new writer. */
const promisesOf = (stream) => {
  switch (stream.state) {
    case 'writable': return {
      ready: !closeQueuedOrInFlight(stream) && stream.backpressure ? state() : resolved(), closed: state(),
    };
    case 'erroring': return { ready: rejected(stream.error), closed: state() };
    case 'closed': return { ready: resolved(), closed: resolved() };
    default: return { ready: rejected(stream.error), closed: rejected(stream.error) };
  }
};

const writerOf = (value) => {
  const writer = isObject(value) ? writers.get(value) : undefined;
  if (!writer) throw new TypeError('value is not a WritableStreamDefaultWriter');
  return writer;
};

const RELEASED = 'stream is undefined';

const write = (writer, chunk) => {
  const { stream } = writer;
  if (!stream) return refusal(RELEASED);
  const { controller } = stream;
  const size = chunkSize(controller, chunk);
  if (writer.stream !== stream) return refusal('writer was released');
  if (stream.state === 'errored') return rejection(stream.error);
  if (closeQueuedOrInFlight(stream) || stream.state === 'closed') return refusal('stream is closing or closed');
  if (stream.state === 'erroring') return rejection(stream.error);
  return new Promise((resolve, reject) => {
    ArrayPrototypePush(stream.writeRequests, { __proto__: null, resolve, reject });
    enqueue(controller, chunk, size);
  });
};

const CLOSING = 'stream is already closing';

export function WritableStreamDefaultWriter() {
  if (!new.target) throw new TypeError('WritableStreamDefaultWriter constructor must be called with new');
  if (arguments.length !== 1) throw new TypeError('WritableStreamDefaultWriter takes a single argument');
  const { 0: value } = arguments;
  const stream = isObject(value) ? streams.get(value) : undefined;
  if (!stream) throw new TypeError('WritableStreamDefaultWriter argument must be a WritableStream');
  if (isLocked(stream)) throw new TypeError('stream is locked');
  const { ready, closed } = promisesOf(stream);
  const writer = {
    __proto__: null, stream, ready, closed,
  };
  stream.writer = writer;
  writers.set(this, writer);
}

const writerPrototype = WritableStreamDefaultWriter.prototype;
const writerGetters = {
  __proto__: null,
  closed() {
    return writerOf(this).closed.promise;
  },
  ready() {
    return writerOf(this).ready.promise;
  },
  desiredSize() {
    const { stream } = writerOf(this);
    if (!stream) throw new TypeError(RELEASED);
    if (stream.state === 'errored' || stream.state === 'erroring') return null;
    return stream.state === 'closed' ? 0 : desiredSize(stream.controller);
  },
};
const getterNames = ObjectKeys(writerGetters);
for (let i = 0; i < getterNames.length; i += 1) {
  ObjectDefineProperty(writerPrototype, getterNames[i], {
    __proto__: null, get: writerGetters[getterNames[i]], enumerable: true, configurable: true,
  });
}
defineMethods(writerPrototype, {
  __proto__: null,
  abort(reason) {
    const { stream } = writerOf(this);
    return stream ? abort(stream, reason) : refusal(RELEASED);
  },
  close() {
    const { stream } = writerOf(this);
    if (!stream) return refusal(RELEASED);
    return closeQueuedOrInFlight(stream) ? refusal(CLOSING) : close(stream);
  },
  releaseLock() {
    const writer = writerOf(this);
    const { stream } = writer;
    if (!stream) return;
    const error = new TypeError('writer released');
    rejectState(writer, 'ready', error);
    rejectState(writer, 'closed', error);
    stream.writer = undefined;
    writer.stream = undefined;
  },
  write(chunk) {
    return write(writerOf(this), chunk);
  },
});

// -- objects for scripts ------------------------------------------------------------------------------

export function WritableStream(underlyingSink = undefined, strategy = undefined) {
  if (!new.target) throw new TypeError('WritableStream constructor must be called with new');
  const given = strategyOf(strategy);
  const sink = underlying(underlyingSink, 'underlyingSink');
  if (sink !== undefined && sink.type !== undefined) throw new RangeError("'type' is not supported by WritableStream");
  const stream = {
    __proto__: null, state: 'writable', error: undefined, writer: undefined, controller: undefined, writeRequests: SafeArray(),
    backpressure: false, inFlightWrite: undefined, closeRequest: undefined, inFlightClose: undefined, pendingAbort: undefined,
  };
  setUp(stream, sink, checkedStrategy(given));
  streams.set(this, stream);
  defineFixed(this, {
    __proto__: null,
    abort: (reason) => (isLocked(stream) ? refusal('cannot abort a locked stream') : abort(stream, reason)),
    close() {
      if (isLocked(stream)) return refusal('cannot close a locked stream');
      return closeQueuedOrInFlight(stream) ? refusal(CLOSING) : close(stream);
    },
    getWriter: () => new WritableStreamDefaultWriter(this),
  });
}
defineGetter(WritableStream.prototype, 'locked', function locked() {
  const stream = isObject(this) ? streams.get(this) : undefined;
  return stream && isLocked(stream);
}, false);
