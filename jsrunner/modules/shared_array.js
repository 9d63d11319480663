// jsrunner:shared_array — arrays whose elements are kept once per process, as JSON.
// @ts-check

const freeze = (value) => {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
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
  const read = (index) => freeze(JSON.parse(element(index)));
  const target = [];
  target.length = length;
  return new Proxy(target, {
    get(array, key, receiver) {
      const index = indexOf(key);
      return index === undefined ? Reflect.get(array, key, receiver) : read(index);
    },
    has: (array, key) => indexOf(key) !== undefined || Reflect.has(array, key),
    ownKeys: () => [...Array.from({ length }, (_, index) => String(index)), 'length'],
    getOwnPropertyDescriptor(array, key) {
      const index = indexOf(key);
      return index === undefined ? Reflect.getOwnPropertyDescriptor(array, key) : {
        value: read(index), writable: true, enumerable: true, configurable: true,
      };
    },
    set: immutable,
    defineProperty: immutable,
    deleteProperty: immutable,
    setPrototypeOf: immutable,
  });
};
