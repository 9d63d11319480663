// jsrunner:lists — primordials for arrays (see primordials.js).
// @ts-check
import { builtin, uncurried } from 'jsrunner:core';
import { SafeArray } from 'jsrunner:primordials';

export const ArrayIsArray = builtin('Array.isArray');
export const ArrayPrototypeIncludes = uncurried('Array.prototype.includes');
export const ArrayPrototypeJoin = uncurried('Array.prototype.join');
export const ArrayPrototypePop = uncurried('Array.prototype.pop');
export const ArrayPrototypeShift = uncurried('Array.prototype.shift');
export const ArrayPrototypeSort = uncurried('Array.prototype.sort');

// The language's own functions make a list by `constructor` and `Symbol.species`, which a script may have replaced.

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

const setPrototypeOf = builtin('Object.setPrototypeOf');
const ArrayPrototype = builtin('Object.getPrototypeOf')([]);

/** Turn a SafeArray itself into an ordinary array, for scripts. Return the same list. */
export const ArrayFromSafe = (list) => setPrototypeOf(list, ArrayPrototype);
