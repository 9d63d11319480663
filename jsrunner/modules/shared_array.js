// jsrunner:shared_array — arrays whose elements are kept once per process, as JSON.
// @ts-check
import {
  Number, Proxy, String, TypeError, forEach, freeze as freezeOne, getOwnPropertyDescriptor, getProperty, hasProperty, parse,
  push, valuesOf,
} from 'jsrunner:host';

const freeze = (value) => {
  if (typeof value === 'object' && value !== null) {
    forEach(valuesOf(value), freeze);
    freezeOne(value);
  }
  return value;
};

const immutable = () => {
  throw new TypeError('SharedArray is immutable');
};

/** An array of that length; `element(index)` gives the JSON of an element, of which each access makes a copy. */
export const sharedArray = (length, element) => {
  const indexOf = (key) => {
    if (typeof key !== 'string') return undefined;
    const index = Number(key);
    return index >= 0 && index < length && String(index) === key ? index : undefined;
  };
  const read = (index) => freeze(parse(element(index)));
  const target = [];
  target.length = length;
  return new Proxy(target, {
    __proto__: null,
    get(array, key, receiver) {
      const index = indexOf(key);
      return index === undefined ? getProperty(array, key, receiver) : read(index);
    },
    has: (array, key) => indexOf(key) !== undefined || hasProperty(array, key),
    ownKeys() {
      const names = [];
      for (let i = 0; i < length; i += 1) push(names, String(i));
      push(names, 'length');
      return names;
    },
    getOwnPropertyDescriptor(array, key) {
      const index = indexOf(key);
      return index === undefined ? getOwnPropertyDescriptor(array, key) : {
        __proto__: null, value: read(index), writable: true, enumerable: true, configurable: true,
      };
    },
    set: immutable,
    defineProperty: immutable,
    deleteProperty: immutable,
    setPrototypeOf: immutable,
  });
};
