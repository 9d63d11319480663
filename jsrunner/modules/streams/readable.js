// jsrunner:streams/readable — ReadableStream with its default reader and controller, as in
// https://streams.spec.whatwg.org/#rs (whose names the functions have), without byte streams, tee and pipes.
// @ts-check
import {
  Queue, algorithm, attempt, promiseOf, rejected, resolved, state, strategyOf, underlying,
} from 'jsrunner:streams/queue';

/** The inner side of a ReadableStream, a reader or a controller: the specification's internal slots. */
let slotsOf;

const isLocked = (stream) => stream.reader !== undefined;

// -- the stream ------------------------------------------------------------------------------------

const close = (stream) => {
  stream.state = 'closed';
  const { reader } = stream;
  if (!reader) return;
  reader.closed.resolve(undefined);
  for (const request of reader.requests.splice(0)) request.resolve({ value: undefined, done: true });
};

const fail = (stream, error) => {
  stream.state = 'errored';
  stream.error = error;
  const { reader } = stream;
  if (!reader) return;
  reader.closed.reject(error);
  for (const request of reader.requests.splice(0)) request.reject(error);
};

const cancel = (stream, reason) => {
  if (stream.state === 'closed') return Promise.resolve(undefined);
  if (stream.state === 'errored') return Promise.reject(stream.error);
  close(stream);
  const { controller } = stream;
  controller.queue.clear();
  const done = attempt(controller.cancel, reason);
  clearAlgorithms(controller);
  return done.then(() => undefined);
};

// -- its controller --------------------------------------------------------------------------------

const clearAlgorithms = (controller) => {
  controller.pull = undefined;
  controller.cancel = undefined;
  controller.sizeOf = undefined;
};

const canCloseOrEnqueue = ({ stream, closeRequested }) => !closeRequested && stream.state === 'readable';

const desiredSize = ({ stream, queue, highWaterMark }) => {
  if (stream.state === 'errored') return null;
  return stream.state === 'closed' ? 0 : highWaterMark - queue.size;
};

const controllerError = (controller, error) => {
  if (controller.stream.state !== 'readable') return;
  controller.queue.clear();
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
  attempt(controller.pull).then(() => {
    controller.pulling = false;
    if (controller.pullAgain) {
      controller.pullAgain = false;
      callPullIfNeeded(controller);
    }
  }, (error) => controllerError(controller, error));
};

const enqueue = (controller, chunk) => {
  if (!canCloseOrEnqueue(controller)) throw new TypeError('the stream takes no more chunks');
  const { stream } = controller;
  if (isLocked(stream) && stream.reader.requests.length) {
    stream.reader.requests.shift().resolve({ value: chunk, done: false });
  } else {
    try {
      controller.queue.push(chunk, controller.sizeOf(chunk));
    } catch (error) {
      controllerError(controller, error);
      throw error;
    }
  }
  callPullIfNeeded(controller);
};

const pullSteps = (controller, request) => {
  if (!controller.queue.length) {
    controller.stream.reader.requests.push(request);
    callPullIfNeeded(controller);
    return;
  }
  const value = controller.queue.shift();
  if (controller.closeRequested && !controller.queue.length) {
    clearAlgorithms(controller);
    close(controller.stream);
  } else {
    callPullIfNeeded(controller);
  }
  request.resolve({ value, done: false });
};

class ReadableStreamDefaultController {
  #slots;
  constructor(slots) {
    this.#slots = slots;
  }
  get desiredSize() {
    return desiredSize(this.#slots);
  }
  close() {
    const controller = this.#slots;
    if (!canCloseOrEnqueue(controller)) throw new TypeError('the stream is closed already');
    controller.closeRequested = true;
    if (controller.queue.length) return;
    clearAlgorithms(controller);
    close(controller.stream);
  }
  enqueue(chunk) {
    enqueue(this.#slots, chunk);
  }
  error(reason) {
    controllerError(this.#slots, reason);
  }
}

const setUp = (stream, source, [highWaterMark, sizeOf]) => {
  const controller = {
    stream, queue: new Queue(), highWaterMark, sizeOf, started: false, closeRequested: false, pulling: false, pullAgain: false,
  };
  stream.controller = controller;
  const face = new ReadableStreamDefaultController(controller);
  const start = algorithm(source, 'start', () => undefined);
  const pull = algorithm(source, 'pull', () => undefined);
  controller.pull = () => pull(face);
  controller.cancel = algorithm(source, 'cancel', () => undefined);
  promiseOf(start(face)).then(() => {
    controller.started = true;
    callPullIfNeeded(controller);
  }, (error) => controllerError(controller, error));
};

// -- what scripts see ------------------------------------------------------------------------------

export class ReadableStream {
  #slots = {
    state: 'readable', error: undefined, reader: undefined, controller: undefined,
  };

  constructor(underlyingSource, strategy) {
    const source = underlying(underlyingSource, 'the underlying source');
    const { type } = source;
    if (type !== undefined && type !== 'default') {
      throw new TypeError('streams of the type ' + String(type) + ' are not supported');
    }
    setUp(this.#slots, source, strategyOf(strategy));
  }
  static {
    slotsOf = (value) => (typeof value === 'object' && value !== null && #slots in value ? value.#slots : undefined);
  }
  get locked() {
    return isLocked(this.#slots);
  }
  cancel(reason) {
    if (isLocked(this.#slots)) return Promise.reject(new TypeError('a locked stream cannot be cancelled'));
    return cancel(this.#slots, reason);
  }
  getReader(options) {
    const mode = options?.mode;
    if (mode !== undefined) throw new TypeError('readers of the mode ' + String(mode) + ' are not supported');
    return new ReadableStreamDefaultReader(this);
  }
}

const RELEASED = 'the reader was released from its stream';

export class ReadableStreamDefaultReader {
  /** `stream` is undefined after releaseLock. */
  #slots;

  constructor(stream) {
    const slots = slotsOf(stream);
    if (!slots) throw new TypeError('a reader needs a ReadableStream');
    if (isLocked(slots)) throw new TypeError('the stream is locked to a reader already');
    const closed = { readable: state, closed: resolved, errored: () => rejected(slots.error) }[slots.state]();
    this.#slots = { stream: slots, closed, requests: [] };
    slots.reader = this.#slots;
  }
  get closed() {
    return this.#slots.closed.promise;
  }
  cancel(reason) {
    const { stream } = this.#slots;
    return stream ? cancel(stream, reason) : Promise.reject(new TypeError(RELEASED));
  }
  read() {
    const { stream } = this.#slots;
    if (!stream) return Promise.reject(new TypeError(RELEASED));
    return new Promise((resolve, reject) => {
      if (stream.state === 'closed') resolve({ value: undefined, done: true });
      else if (stream.state === 'errored') reject(stream.error);
      else pullSteps(stream.controller, { resolve, reject });
    });
  }
  releaseLock() {
    const reader = this.#slots;
    const { stream } = reader;
    if (!stream) return;
    const error = new TypeError(RELEASED);
    if (stream.state === 'readable') reader.closed.reject(error);
    else reader.closed = rejected(error);
    stream.reader = undefined;
    reader.stream = undefined;
    for (const request of reader.requests.splice(0)) request.reject(error);
  }
}
