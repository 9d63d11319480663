// k6/data: https://grafana.com/docs/k6/latest/javascript-api/k6-data/
// @ts-check
import { GoError, context, host } from 'jsrunner:host';

const AsyncFunction = (async () => {}).constructor;

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

/** An array whose elements are kept, as JSON, once per process; each access makes a fresh copy. */
const view = (name, length) => {
  const element = (key) => {
    if (typeof key !== 'string') return undefined;
    const index = Number(key);
    return index >= 0 && index < length && String(index) === key ? index : undefined;
  };
  const read = (index) => freeze(JSON.parse(host('data.element', name, index)));
  const target = [];
  target.length = length;
  return new Proxy(target, {
    get(array, key, receiver) {
      const index = element(key);
      return index === undefined ? Reflect.get(array, key, receiver) : read(index);
    },
    has: (array, key) => element(key) !== undefined || Reflect.has(array, key),
    ownKeys: () => [...Array.from({ length }, (_, index) => String(index)), 'length'],
    getOwnPropertyDescriptor(array, key) {
      const index = element(key);
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

export function SharedArray(name, build) {
  if (!context.inInit) throw new GoError('new SharedArray must be called in the init context');
  const key = name === undefined || name === null ? '' : String(name);
  if (key === '') throw new GoError("empty name provided to SharedArray's constructor");
  if (typeof build !== 'function') {
    throw new GoError("a function is expected as the second argument of SharedArray's constructor");
  }
  if (build instanceof AsyncFunction) {
    throw new GoError('SharedArray constructor does not support async functions as second argument');
  }
  let length = host('data.length', key);
  if (length < 0) {
    const items = build();
    if (!Array.isArray(items)) throw new GoError('only arrays can be made into SharedArray');
    length = items.length;
    host('data.store', key, Array.from(items, (item) => JSON.stringify(item) ?? 'null'));
  }
  return view(key, length);
}

export default { SharedArray };
