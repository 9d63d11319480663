// jsrunner:streams/writable — WritableStream with its default writer and controller, as in
// https://streams.spec.whatwg.org/#ws (whose names the functions have), without abort signals.
// @ts-check
import {
  Queue, algorithm, attempt, deferred, promiseOf, rejected, resolved, state, strategyOf, underlying,
} from 'jsrunner:streams/queue';

/** The specification's internal slots of a WritableStream. */
let slotsOf;

/** Stands in the queue behind the last chunk. */
const CLOSE = Symbol('close');

const isLocked = (stream) => stream.writer !== undefined;
const closeQueuedOrInFlight = (stream) => Boolean(stream.closeRequest || stream.inFlightClose);

// -- the stream ------------------------------------------------------------------------------------

const abort = (stream, reason) => {
  if (stream.state === 'closed' || stream.state === 'errored') return Promise.resolve(undefined);
  if (stream.pendingAbort) return stream.pendingAbort.promise;
  const wasErroring = stream.state === 'erroring';
  const request = deferred();
  stream.pendingAbort = { ...request, reason: wasErroring ? undefined : reason, wasErroring };
  if (!wasErroring) startErroring(stream, reason);
  return request.promise;
};

const close = (stream) => {
  if (stream.state === 'closed' || stream.state === 'errored') {
    return Promise.reject(new TypeError('the stream is ' + String(stream.state) + ' already'));
  }
  const request = deferred();
  stream.closeRequest = request;
  if (stream.writer && stream.backpressure && stream.state === 'writable') stream.writer.ready.resolve(undefined);
  stream.controller.queue.push(CLOSE, 0);
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

/** Reject the writer's `ready` or `closed`: by a new promise where it was settled. */
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
  controller.queue.clear();
  for (const request of stream.writeRequests.splice(0)) request.reject(stream.error);
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
  done.then(() => {
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

const desiredSize = ({ highWaterMark, queue }) => highWaterMark - queue.size;
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
  } else if (queue.length) {
    if (queue.peek() === CLOSE) processClose(controller);
    else processWrite(controller, queue.peek());
  }
};

const processClose = (controller) => {
  const { stream } = controller;
  stream.inFlightClose = stream.closeRequest;
  stream.closeRequest = undefined;
  controller.queue.shift();
  const done = attempt(controller.close);
  clearAlgorithms(controller);
  done.then(() => finishInFlightClose(stream), (error) => finishInFlightCloseWithError(stream, error));
};

const processWrite = (controller, chunk) => {
  const { stream } = controller;
  stream.inFlightWrite = stream.writeRequests.shift();
  attempt(controller.write, chunk).then(() => {
    stream.inFlightWrite.resolve(undefined);
    stream.inFlightWrite = undefined;
    controller.queue.shift();
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
    controller.queue.push(chunk, size);
  } catch (error) {
    errorIfNeeded(controller, error);
    return;
  }
  if (!closeQueuedOrInFlight(stream) && stream.state === 'writable') {
    updateBackpressure(stream, hasBackpressure(controller));
  }
  advanceQueueIfNeeded(controller);
};

class WritableStreamDefaultController {
  #slots;
  constructor(slots) {
    this.#slots = slots;
  }
  error(reason) {
    errorIfNeeded(this.#slots, reason);
  }
}

const setUp = (stream, sink, [highWaterMark, sizeOf]) => {
  const controller = {
    stream, queue: new Queue(), highWaterMark, sizeOf, started: false,
  };
  stream.controller = controller;
  const face = new WritableStreamDefaultController(controller);
  const start = algorithm(sink, 'start', () => undefined);
  const write = algorithm(sink, 'write', () => undefined);
  controller.write = (chunk) => write(chunk, face);
  controller.close = algorithm(sink, 'close', () => undefined);
  controller.abort = algorithm(sink, 'abort', () => undefined);
  updateBackpressure(stream, hasBackpressure(controller));
  promiseOf(start(face)).then(() => {
    controller.started = true;
    advanceQueueIfNeeded(controller);
  }, (error) => {
    controller.started = true;
    dealWithRejection(stream, error);
  });
};

// -- what scripts see ------------------------------------------------------------------------------

export class WritableStream {
  #slots = {
    state: 'writable', error: undefined, writer: undefined, controller: undefined, writeRequests: [], backpressure: false,
    inFlightWrite: undefined, closeRequest: undefined, inFlightClose: undefined, pendingAbort: undefined,
  };

  constructor(underlyingSink, strategy) {
    const sink = underlying(underlyingSink, 'the underlying sink');
    if (sink.type !== undefined) throw new RangeError('streams of the type ' + String(sink.type) + ' are not supported');
    setUp(this.#slots, sink, strategyOf(strategy));
  }
  static {
    slotsOf = (value) => (typeof value === 'object' && value !== null && #slots in value ? value.#slots : undefined);
  }
  get locked() {
    return isLocked(this.#slots);
  }
  abort(reason) {
    if (isLocked(this.#slots)) return Promise.reject(new TypeError('a locked stream cannot be aborted'));
    return abort(this.#slots, reason);
  }
  close() {
    const stream = this.#slots;
    if (isLocked(stream)) return Promise.reject(new TypeError('a locked stream cannot be closed'));
    if (closeQueuedOrInFlight(stream)) return Promise.reject(new TypeError('the stream is being closed already'));
    return close(stream);
  }
  getWriter() {
    return new WritableStreamDefaultWriter(this);
  }
}

const RELEASED = 'the writer was released from its stream';

/** [ready, closed] of a writer that begins now. */
const promisesOf = (stream) => {
  switch (stream.state) {
    case 'writable':
      return [!closeQueuedOrInFlight(stream) && stream.backpressure ? state() : resolved(), state()];
    case 'erroring': return [rejected(stream.error), state()];
    case 'closed': return [resolved(), resolved()];
    default: return [rejected(stream.error), rejected(stream.error)];
  }
};

export class WritableStreamDefaultWriter {
  /** `stream` is undefined after releaseLock. */
  #slots;

  constructor(stream) {
    const slots = slotsOf(stream);
    if (!slots) throw new TypeError('a writer needs a WritableStream');
    if (isLocked(slots)) throw new TypeError('the stream is locked to a writer already');
    const [ready, closed] = promisesOf(slots);
    this.#slots = { stream: slots, ready, closed };
    slots.writer = this.#slots;
  }
  get closed() {
    return this.#slots.closed.promise;
  }
  get ready() {
    return this.#slots.ready.promise;
  }
  get desiredSize() {
    const { stream } = this.#slots;
    if (!stream) throw new TypeError(RELEASED);
    if (stream.state === 'errored' || stream.state === 'erroring') return null;
    return stream.state === 'closed' ? 0 : desiredSize(stream.controller);
  }
  abort(reason) {
    const { stream } = this.#slots;
    return stream ? abort(stream, reason) : Promise.reject(new TypeError(RELEASED));
  }
  close() {
    const { stream } = this.#slots;
    if (!stream) return Promise.reject(new TypeError(RELEASED));
    if (closeQueuedOrInFlight(stream)) return Promise.reject(new TypeError('the stream is being closed already'));
    return close(stream);
  }
  releaseLock() {
    const writer = this.#slots;
    const { stream } = writer;
    if (!stream) return;
    const error = new TypeError(RELEASED);
    rejectState(writer, 'ready', error);
    rejectState(writer, 'closed', error);
    stream.writer = undefined;
    writer.stream = undefined;
  }
  write(chunk) {
    const { stream } = this.#slots;
    if (!stream) return Promise.reject(new TypeError(RELEASED));
    const { controller } = stream;
    const size = chunkSize(controller, chunk);
    if (this.#slots.stream !== stream) return Promise.reject(new TypeError(RELEASED));
    if (stream.state === 'errored') return Promise.reject(stream.error);
    if (closeQueuedOrInFlight(stream) || stream.state === 'closed') {
      return Promise.reject(new TypeError('the stream is closed or being closed'));
    }
    if (stream.state === 'erroring') return Promise.reject(stream.error);
    return new Promise((resolve, reject) => {
      stream.writeRequests.push({ resolve, reject });
      enqueue(controller, chunk, size);
    });
  }
}
