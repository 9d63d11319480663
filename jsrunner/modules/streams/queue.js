// jsrunner:streams/queue — shared parts of readable and writable streams: https://streams.spec.whatwg.org/
// @ts-check
import { ArrayPrototypeShift } from 'jsrunner:more_primordials';
import {
  ArrayIsArray, ArrayPrototypePush, Number, NumberIsFinite, ObjectDefineProperty, ObjectKeys, Promise,
  PromisePrototypeThen, RangeError, ReflectApply, SafeArray, TypeError, isInstance,
} from 'jsrunner:primordials';
import { rejection, resolution } from 'jsrunner:promises';
import { isNullish } from 'jsrunner:values';

// -- promises --------------------------------------------------------------------------------------

/** Return a promise with the functions that settle it. */
export const deferred = () => {
  const made = { __proto__: null, pending: true };
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

const ignore = () => {};

/** Return a deferred for a state such as `closed`, whose unhandled rejection is no failure of the script. */
export const state = () => {
  const made = deferred();
  PromisePrototypeThen(made.promise, ignore, ignore);
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

/** Return a promise that is rejected with a TypeError. */
export const refusal = (text) => rejection(new TypeError(text));

/** Return a promise unchanged, and any other value as a resolved promise. */
export const promiseOf = (value) => (isInstance(Promise, value) ? value : resolution(value));

/** Call an algorithm. Return a promise of its result or exception. */
export const attempt = (call, argument) => {
  try {
    return promiseOf(call(argument));
  } catch (error) {
    return rejection(error);
  }
};

// -- sources, sinks and strategies -----------------------------------------------------------------

/** Return true if k6 takes a value for an object. */
const isPlain = (value) => typeof value === 'object' && value !== null && !ArrayIsArray(value);

/** Return the underlying source or sink, undefined if there is none. */
export const underlying = (value, name) => {
  if (value !== undefined && !isPlain(value)) throw new TypeError(name + ' must be an object');
  return value;
};

/** Call a member as a method of its owner. Throws if the member is no function. */
export const algorithm = (owner, call, name) => {
  if (typeof call !== 'function') throw new TypeError(name + ' must be a function');
  return (...args) => ReflectApply(call, owner, args);
};

const one = () => 1;

const MUST = 'CountQueuingStrategy argument must ';

/** Return the unchecked high-water mark and size algorithm of a queuing strategy; see `checkedStrategy`. */
export const strategyOf = (strategy) => {
  if (isNullish(strategy) || typeof strategy === 'string') return { highWaterMark: 1, size: undefined };
  if (!isPlain(strategy)) throw new TypeError(MUST + 'be an object');
  const { highWaterMark, size } = strategy;
  return { highWaterMark: isNullish(highWaterMark) ? 1 : highWaterMark, size };
};

/** Return the checked strategy; k6 checks the size first, so this comes last. */
export const checkedStrategy = ({ highWaterMark, size }) => {
  if (!isNullish(size) && typeof size !== 'function') throw new TypeError('size must be a function');
  if (typeof highWaterMark !== 'number' || !(highWaterMark >= 0)) {
    throw new RangeError('highWaterMark must be a non-negative number');
  }
  return { highWaterMark, sizeOf: isNullish(size) ? one : (chunk) => size(chunk) };
};

/** A queue of chunks with their sizes. */
export class Queue {
  #pairs = SafeArray();
  /** The sum of all sizes. */
  total = 0;

  get count() {
    return this.#pairs.length;
  }
  append(value, size) {
    const number = Number(size);
    if (!(NumberIsFinite(number) && number >= 0)) throw new RangeError('size must be a finite, non-NaN number');
    ArrayPrototypePush(this.#pairs, { value, weight: number });
    this.total += number;
  }
  peek() {
    return this.#pairs[0].value;
  }
  take() {
    const { value, weight } = ArrayPrototypeShift(this.#pairs);
    this.total -= weight;
    if (this.total < 0) this.total = 0; // positive rounding errors stay, as in k6
    return value;
  }
  drop() {
    this.#pairs = SafeArray();
    this.total = 0;
  }
}

// -- objects for scripts ------------------------------------------------------------------------------

/** Define members of an object that scripts cannot change. As in k6, they do not use `this`. */
export const defineFixed = (object, members) => {
  const names = ObjectKeys(members);
  for (let i = 0; i < names.length; i += 1) {
    ObjectDefineProperty(object, names[i], { __proto__: null, value: members[names[i]], enumerable: true });
  }
  return object;
};

/** Define a member of an object by a getter. */
export const defineGetter = (object, name, get, enumerable = true) => ObjectDefineProperty(object, name, {
  __proto__: null, get, enumerable, configurable: !enumerable,
});

/** Return the function that throws in place of a controller's constructor. */
export const noConstructor = (name) => () => {
  throw new TypeError(name + ' is not constructable');
};

/** As in k6, CountQueuingStrategy works without `new` and returns a plain object. */
export function CountQueuingStrategy() {
  if (arguments.length !== 1) throw new TypeError('CountQueuingStrategy takes a single argument');
  const { 0: options } = arguments;
  if (!isPlain(options)) throw new TypeError(MUST + 'be an object');
  const { highWaterMark } = options;
  if (isNullish(highWaterMark)) throw new TypeError(MUST + "have 'highWaterMark' property");
  // eslint-disable-next-line no-unused-vars -- its length is 1
  return defineFixed({}, { __proto__: null, highWaterMark, size: (chunk) => 1 });
}
