// jsrunner:streams/queue — what both kinds of streams are made of: https://streams.spec.whatwg.org/
// @ts-check

/** A promise with its settling functions. */
export const deferred = () => {
  const made = { pending: true };
  made.promise = new Promise((resolve, reject) => {
    made.resolve = (value) => {
      made.pending = false;
      resolve(value);
    };
    made.reject = (error) => {
      made.pending = false;
      reject(error);
    };
  });
  return made;
};

/** One for a state, like `closed`: that it is rejected is no failure where nobody looks at it. */
export const state = () => {
  const made = deferred();
  made.promise.catch(() => {});
  return made;
};

export const rejected = (error) => {
  const made = state();
  made.reject(error);
  return made;
};

export const resolved = () => {
  const made = state();
  made.resolve(undefined);
  return made;
};

/** A method of an underlying source or sink, called as one; `fallback` where there is none. */
export const algorithm = (owner, name, fallback) => {
  const method = owner[name];
  if (method === undefined || method === null) return fallback;
  if (typeof method !== 'function') throw new TypeError(name + ' is not a function');
  return (...args) => Reflect.apply(method, owner, args);
};

/** A new promise that is resolved with the value (`Promise.resolve` would give a promise back as it is). */
export const promiseOf = (value) => new Promise((resolve) => {
  resolve(value);
});

/** A promise of what an algorithm returns or throws. */
export const attempt = (call, ...args) => {
  try {
    return promiseOf(call(...args));
  } catch (error) {
    return Promise.reject(error);
  }
};

/** The underlying source or sink as an object. */
export const underlying = (value, what) => {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError(what + ' is not an object');
  return value;
};

/** [high-water mark, size algorithm] of a queuing strategy. */
export const strategyOf = (strategy) => {
  const { highWaterMark, size } = underlying(strategy, 'the queuing strategy');
  const mark = highWaterMark === undefined ? 1 : Number(highWaterMark);
  if (Number.isNaN(mark) || mark < 0) throw new RangeError('invalid high-water mark: ' + String(highWaterMark));
  if (size !== undefined && typeof size !== 'function') throw new TypeError('size is not a function');
  return [mark, size === undefined ? () => 1 : (chunk) => size(chunk)];
};

/** Chunks with their sizes. */
export class Queue {
  #pairs = [];
  size = 0;

  get length() {
    return this.#pairs.length;
  }
  push(value, size) {
    const number = Number(size);
    if (!(Number.isFinite(number) && number >= 0)) throw new RangeError('invalid size of a chunk: ' + size);
    this.#pairs.push({ value, size: number });
    this.size += number;
  }
  peek() {
    return this.#pairs[0].value;
  }
  shift() {
    const { value, size } = this.#pairs.shift();
    this.size = this.#pairs.length ? Math.max(this.size - size, 0) : 0;
    return value;
  }
  clear() {
    this.#pairs = [];
    this.size = 0;
  }
}

export class CountQueuingStrategy {
  #highWaterMark;
  constructor(options) {
    if (typeof options !== 'object' || options === null || options.highWaterMark === undefined) {
      throw new TypeError('CountQueuingStrategy needs an object with a highWaterMark');
    }
    this.#highWaterMark = Number(options.highWaterMark);
  }
  get highWaterMark() {
    return this.#highWaterMark;
  }
  get size() {
    return () => 1;
  }
}
