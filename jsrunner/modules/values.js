// jsrunner:values — conversions of scripts' values.
// @ts-check
import {
  MathMax, MathMin, MathTrunc, Number, ObjectDefineProperty, ObjectFreeze, ObjectKeys, String,
  SymbolPrototypeGetDescription, TypeError,
} from 'jsrunner:primordials';

export const isNullish = (value) => value === undefined || value === null;
export const isObject = (value) => typeof value === 'object' && value !== null;
/** Convert an argument to a text. undefined and null become "", a symbol its description. */
export const asText = (value) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'symbol') return SymbolPrototypeGetDescription(value) ?? '';
  return isNullish(value) ? '' : String(value);
};
/** Convert an argument to a number. Throws a TypeError for a BigInt. */
export const asNumber = (value) => {
  if (typeof value === 'bigint') throw new TypeError('Cannot convert a BigInt value to a number');
  return Number(value);
};
/** The first number that is too large for Go's whole numbers. */
export const INT64_END = 2 ** 63;
/** Convert a number to Go's int64: truncated, and limited to the bounds. */
export const asInt64 = (value) => MathMax(-INT64_END, MathMin(INT64_END, MathTrunc(asNumber(value)) || 0));

/** Freeze a value and, recursively, its members. */
export const freezeDeep = (value) => {
  if (!isObject(value)) return value;
  const names = ObjectKeys(value);
  for (let i = 0; i < names.length; i += 1) freezeDeep(value[names[i]]);
  return ObjectFreeze(value);
};

/** Set an object's own property, even if a prototype has a setter or a constant of that name. */
export const setOwn = (object, name, value) => ObjectDefineProperty(object, name, {
  __proto__: null, value, writable: true, enumerable: true, configurable: true,
});

/** Define methods of a built-in object: writable, configurable, not enumerable. */
export const defineMethods = (object, methods) => {
  const names = ObjectKeys(methods);
  for (let i = 0; i < names.length; i += 1) {
    ObjectDefineProperty(object, names[i], {
      __proto__: null, value: methods[names[i]], writable: true, configurable: true,
    });
  }
};
