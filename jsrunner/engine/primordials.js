// jsrunner:primordials — the language's own functions, saved before any script runs.
// @ts-check
// Scripts may replace or delete functions of the language (`Array.prototype.push`, `Promise`, `Symbol.iterator`), or
// define accessors on Object.prototype. This does not affect k6's modules, which are Go, and must not affect jsrunner's.
// The names are those of Node's primordials: `ArrayPrototypePush(list, item)` is `list.push(item)`. Rules for all
// JavaScript files of jsrunner (tests/test_primordials.py checks them):
// - no global, no method of the language's, no `instanceof`: import them from here;
// - no iterators: no for...of, no spread of lists, no array patterns; lists are walked by index;
// - a list to which something is added is a SafeArray: appending to `[]` would call setters of Array.prototype;
// - an object has `__proto__: null` if members are added to it, if a name is looked up in it that may be missing, or if
//   the language reads options from it (a property's descriptor, a Proxy's handler).
// Each saved function costs up to 400 bytes per VU. `reserve` holds rarely used functions, at half of that.
import { uncurryThis } from 'jsrunner:core';

export const {
  ArrayBuffer, Boolean, DataView, Error, Function, InternalError, Math, Number, Object, Promise, Proxy, RangeError,
  ReferenceError, String, SyntaxError, TypeError, URIError, Uint8Array,
} = globalThis;

const scope = globalThis;
export { scope as globalThis };

/** `uncurryThis(f)(self, ...args)` is `self.f(...args)`. */
export { uncurryThis };
const rawGetter = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name).get;
const getterOf = (prototype, name) => uncurryThis(rawGetter(prototype, name));

export const { constructor: AsyncFunction } = async () => {};
export const FunctionPrototypeCall = uncurryThis(Function.prototype.call);
export const FunctionPrototypeToString = uncurryThis(Function.prototype.toString);
/** `isInstance(Class, value)` is `value instanceof Class`. */
export const isInstance = uncurryThis(Function.prototype[Symbol.hasInstance]);

export const { iterator: SymbolIterator, toStringTag: SymbolToStringTag } = Symbol;

export const {
  apply: ReflectApply, defineProperty: ReflectDefineProperty, get: ReflectGet, ownKeys: ReflectOwnKeys, set: ReflectSet,
} = Reflect;

export const {
  create: ObjectCreate, defineProperties: ObjectDefineProperties, defineProperty: ObjectDefineProperty,
  freeze: ObjectFreeze, getOwnPropertyDescriptor: ObjectGetOwnPropertyDescriptor,
  getPrototypeOf: ObjectGetPrototypeOf, hasOwn: ObjectHasOwn, keys: ObjectKeys, preventExtensions: ObjectPreventExtensions,
  setPrototypeOf: ObjectSetPrototypeOf,
} = Object;
export const ObjectPrototype = Object.prototype;
export const ObjectPrototypeToString = uncurryThis(Object.prototype.toString);

export const { parse: JSONParse, stringify: JSONStringify } = JSON;
export const {
  imul: MathImul, max: MathMax, min: MathMin, random: MathRandom, trunc: MathTrunc,
} = Math;
export const { isFinite: NumberIsFinite, isNaN: NumberIsNaN } = Number;
export const NumberPrototypeToFixed = uncurryThis(Number.prototype.toFixed);
export const { now: DateNow } = Date;

export const StringPrototypeCharCodeAt = uncurryThis(String.prototype.charCodeAt);
export const StringPrototypeIncludes = uncurryThis(String.prototype.includes);
export const StringPrototypeIndexOf = uncurryThis(String.prototype.indexOf);
export const StringPrototypeSlice = uncurryThis(String.prototype.slice);
export const StringPrototypeStartsWith = uncurryThis(String.prototype.startsWith);
export const StringPrototypeToUpperCase = uncurryThis(String.prototype.toUpperCase);
export const StringPrototypeTrim = uncurryThis(String.prototype.trim);
/** Unlike `test`, `match`, `replace` and `split`, `exec` calls no method that a script may have replaced. */
export const RegExpPrototypeExec = uncurryThis(RegExp.prototype.exec);
export const SymbolPrototypeGetDescription = getterOf(Symbol.prototype, 'description');

export const { isView: ArrayBufferIsView } = ArrayBuffer;
export const ArrayBufferPrototypeGetByteLength = getterOf(ArrayBuffer.prototype, 'byteLength');
const TypedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
export const TypedArrayPrototypeGetLength = getterOf(TypedArrayPrototype, 'length');
export const TypedArrayPrototypeGetSymbolToStringTag = getterOf(TypedArrayPrototype, Symbol.toStringTag);

// -- lists -------------------------------------------------------------------------------------------

export const { isArray: ArrayIsArray } = Array;

const ArrayPrototype = Array.prototype;

/** Return a list of these items that may grow. It has no methods; the functions below replace them. */
export const SafeArray = (...items) => ObjectSetPrototypeOf(items, null);

export const ArrayPrototypeIncludes = uncurryThis(Array.prototype.includes);
export const ArrayPrototypeIndexOf = uncurryThis(Array.prototype.indexOf);
export const ArrayPrototypeJoin = uncurryThis(Array.prototype.join);
export const ArrayPrototypePop = uncurryThis(Array.prototype.pop);
export const ArrayPrototypeSort = uncurryThis(Array.prototype.sort);

// The language's own functions make a list by `constructor` and `Symbol.species`, which a script may have replaced.

/** Append an item to a SafeArray. */
export const ArrayPrototypePush = (list, item) => {
  list[list.length] = item;
};

/** Return the items from `start` up to `end` as a SafeArray. Negative positions are not supported. */
export const ArrayPrototypeSlice = (list, start = 0, end = list.length) => {
  const copy = SafeArray();
  for (let i = start; i < end; i += 1) copy[copy.length] = list[i];
  return copy;
};

/** Return the results of `convert(item, index)` as a SafeArray. */
export const ArrayPrototypeMap = (list, convert) => {
  const results = SafeArray();
  for (let i = 0; i < list.length; i += 1) results[i] = convert(list[i], i);
  return results;
};

/** Return the items for which `test(item, index)` is true, as a SafeArray. */
export const ArrayPrototypeFilter = (list, test) => {
  const kept = SafeArray();
  for (let i = 0; i < list.length; i += 1) if (test(list[i], i)) kept[kept.length] = list[i];
  return kept;
};

/** Return the first item for which `test(item, index)` is true. */
export const ArrayPrototypeFind = (list, test) => {
  for (let i = 0; i < list.length; i += 1) if (test(list[i], i)) return list[i];
  return undefined;
};

/** Turn a SafeArray itself into an ordinary array, for scripts. Return the same list. */
export const ArrayFromSafe = (list) => ObjectSetPrototypeOf(list, ArrayPrototype);

/** Return the pieces of a text between the separators as a SafeArray. The separator must not be empty. */
export const StringPrototypeSplit = (text, separator) => {
  const pieces = SafeArray();
  let start = 0;
  for (;;) {
    const end = StringPrototypeIndexOf(text, separator, start);
    if (end < 0) break;
    pieces[pieces.length] = StringPrototypeSlice(text, start, end);
    start = end + separator.length;
  }
  pieces[pieces.length] = StringPrototypeSlice(text, start);
  return pieces;
};

// -- collections and promises --------------------------------------------------------------------------

/** Copy the methods of the extended built-in class to a class, where scripts cannot replace them. */
const makeSafe = (Class, methods) => {
  const { prototype } = Object.getPrototypeOf(Class);
  for (let i = 0; i < methods.length; i += 1) {
    Object.defineProperty(Class.prototype, methods[i], Object.getOwnPropertyDescriptor(prototype, methods[i]));
  }
  Object.setPrototypeOf(Class.prototype, null);
  Object.freeze(Class.prototype);
};

export class SafeMap extends Map {
  constructor() { // eslint-disable-line no-useless-constructor -- the implied one would iterate
    super();
  }
}
makeSafe(SafeMap, ['clear', 'delete', 'forEach', 'get', 'has', 'set', 'size']);

export class SafeWeakMap extends WeakMap {
  constructor() { // eslint-disable-line no-useless-constructor
    super();
  }
}
makeSafe(SafeWeakMap, ['get', 'set']);


const then = uncurryThis(Promise.prototype.then);
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

// -- rarely used functions --------------------------------------------------------------------------------

/** Built-in functions from which more_primordials.js and bytes.js make functions for modules. */
export const reserve = {
  __proto__: null,
  Date,
  FinalizationRegistry,
  Map,
  Set,
  WeakRef,
  dataViewBuffer: rawGetter(DataView.prototype, 'buffer'),
  dataViewByteLength: rawGetter(DataView.prototype, 'byteLength'),
  dataViewByteOffset: rawGetter(DataView.prototype, 'byteOffset'),
  deref: WeakRef.prototype.deref,
  encodeURIComponent,
  endsWith: String.prototype.endsWith,
  floor: Math.floor,
  getTime: Date.prototype.getTime,
  isInteger: Number.isInteger,
  isSafeInteger: Number.isSafeInteger,
  lastIndexOf: String.prototype.lastIndexOf,
  mapForEach: Map.prototype.forEach,
  padEnd: String.prototype.padEnd,
  padStart: String.prototype.padStart,
  parseFloat,
  register: FinalizationRegistry.prototype.register,
  setForEach: Set.prototype.forEach,
  shift: Array.prototype.shift,
  toExponential: Number.prototype.toExponential,
  toISOString: Date.prototype.toISOString,
  toLowerCase: String.prototype.toLowerCase,
  toWellFormed: String.prototype.toWellFormed,
  typedArrayBuffer: rawGetter(TypedArrayPrototype, 'buffer'),
  typedArrayByteLength: rawGetter(TypedArrayPrototype, 'byteLength'),
  typedArrayByteOffset: rawGetter(TypedArrayPrototype, 'byteOffset'),
  typedArraySet: TypedArrayPrototype.set,
};
