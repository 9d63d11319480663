// jsrunner:primordials — the language's own functions, as they were before any script ran.
// @ts-check
// Scripts may replace or delete functions of the language (`Array.prototype.push`, `Promise`, `Symbol.iterator`), or
// define accessors on Object.prototype. This does not affect k6's modules, which are Go, and must not affect jsrunner's.
// The names are those of Node's primordials: `ArrayPrototypePush(list, item)` is `list.push(item)`. Rules for all
// JavaScript files of jsrunner (tests/test_primordials.py checks them):
// - no global, no method of the language's, no `instanceof`: import them from here, or make them by `builtin` and
//   `uncurried` of jsrunner:core (core/builtins.c);
// - no iterators: no for...of, no spread of lists, no array patterns; lists are walked by index;
// - a list to which something is added is a SafeArray: appending to `[]` would call setters of Array.prototype;
// - an object has `__proto__: null` if members are added to it, if a name is looked up in it that may be missing, or if
//   the language reads options from it (a property's descriptor, a Proxy's handler).
// Each function costs some 250 bytes per VU. So here are those that each VU needs; others are in lists.js, texts.js,
// collections.js and more_primordials.js, and a function that one module needs is made there.
import { builtin, uncurried } from 'jsrunner:core';

export const {
  ArrayBuffer, Boolean, Error, Number, Object, Promise, Proxy, RangeError, String, SyntaxError, TypeError, Uint8Array,
} = globalThis;

/** Constructors that few modules use. */
export const constructors = {
  __proto__: null,
  AsyncFunction: (async () => {}).constructor,
  DataView,
  Date,
  FinalizationRegistry,
  InternalError,
  Map,
  ReferenceError,
  Set,
  Symbol,
  URIError,
  WeakMap,
  WeakRef,
};

const scope = globalThis;
export { scope as globalThis };

/** `isInstance(Class, value)` is `value instanceof Class`. */
export const isInstance = uncurried('Function.prototype.@@hasInstance');

export const ReflectApply = builtin('Reflect.apply');
export const ReflectDefineProperty = builtin('Reflect.defineProperty');
export const ReflectSet = builtin('Reflect.set');
export const ObjectDefineProperty = builtin('Object.defineProperty');
export const ObjectFreeze = builtin('Object.freeze');
export const ObjectHasOwn = builtin('Object.hasOwn');
export const ObjectKeys = builtin('Object.keys');
export const JSONParse = builtin('JSON.parse');
export const MathMax = builtin('Math.max');
export const MathMin = builtin('Math.min');
export const MathTrunc = builtin('Math.trunc');
export const StringPrototypeSlice = uncurried('String.prototype.slice');
export const StringPrototypeTrim = uncurried('String.prototype.trim');
export const SymbolPrototypeGetDescription = uncurried('Symbol.prototype.description');

const setPrototypeOf = builtin('Object.setPrototypeOf');

/** Return a list of these items that may grow. It has no methods; the functions of lists.js replace them. */
export const SafeArray = (...items) => setPrototypeOf(items, null);

/** Append an item to a SafeArray. */
export const ArrayPrototypePush = (list, item) => {
  list[list.length] = item;
};

const then = uncurried('Promise.prototype.then');
const WITHOUT_SPECIES = { __proto__: null, value: undefined, configurable: true };

/** `promise.then(fulfilled, rejected)`, unaffected by a Promise whose species a script has replaced. */
export const PromisePrototypeThen = (promise, fulfilled, rejected) => {
  const hidden = !ObjectHasOwn(promise, 'constructor') && ReflectDefineProperty(promise, 'constructor', WITHOUT_SPECIES);
  try {
    return then(promise, fulfilled, rejected);
  } finally {
    if (hidden) delete promise.constructor;
  }
};
