// jsrunner:shared_array — arrays whose elements are kept once per process, as JSON.
// @ts-check
import {
  ArrayFromSafe, ArrayPrototypePush, JSONParse, Number, ObjectGetOwnPropertyDescriptor, Proxy, ReflectGet, SafeArray,
  String, TypeError,
} from 'jsrunner:primordials';
import { freezeDeep } from 'jsrunner:values';

const immutable = () => {
  throw new TypeError('SharedArray is immutable');
};

/** Return an array of this length. `element(index)` returns the JSON of an element; each access makes a new copy. */
export const sharedArray = (length, element) => {
  const indexOf = (key) => {
    if (typeof key !== 'string') return undefined;
    const index = Number(key);
    return index >= 0 && index < length && index % 1 === 0 && String(index) === key ? index : undefined;
  };
  const read = (index) => freezeDeep(JSONParse(element(index)));
  const target = ArrayFromSafe(SafeArray());
  target.length = length;
  return new Proxy(target, {
    __proto__: null,
    get(array, key, receiver) {
      const index = indexOf(key);
      return index === undefined ? ReflectGet(array, key, receiver) : read(index);
    },
    has: (array, key) => indexOf(key) !== undefined || key in array,
    ownKeys() {
      const names = SafeArray();
      for (let i = 0; i < length; i += 1) ArrayPrototypePush(names, String(i));
      ArrayPrototypePush(names, 'length');
      return names;
    },
    getOwnPropertyDescriptor(array, key) {
      const index = indexOf(key);
      return index === undefined ? ObjectGetOwnPropertyDescriptor(array, key) : {
        __proto__: null, value: read(index), writable: true, enumerable: true, configurable: true,
      };
    },
    set: immutable,
    defineProperty: immutable,
    deleteProperty: immutable,
    preventExtensions() {
      throw new TypeError('Cannot make a dynamic object non-extensible');
    },
  });
};
