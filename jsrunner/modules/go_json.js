// jsrunner:go_json — values in the form of Go's JSON, in which k6 passes setup's data on: sorted keys, dates without
// trailing zeros, buffers of bytes as base64.
// @ts-check
import { copyOf, isBytes } from 'jsrunner:bytes';
import { GoError } from 'jsrunner:errors';
import { goMethods, goStruct } from 'jsrunner:go_methods';
import { goType } from 'jsrunner:go_types';
import { host } from 'jsrunner:host';
import {
  Date, DatePrototypeGetTime, DatePrototypeToISOString, Map, MapPrototypeForEach, Set, SetPrototypeForEach,
  StringPrototypeEndsWith,
} from 'jsrunner:more_primordials';
import {
  ArrayBuffer, ArrayBufferIsView, ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypePush, ArrayPrototypeSlice,
  ArrayPrototypeSort, Boolean, DataView, JSONStringify, Number, NumberIsFinite, NumberIsNaN, ObjectKeys, SafeArray,
  String, StringPrototypeSlice, SymbolPrototypeGetDescription, TypedArrayPrototypeGetLength,
  TypedArrayPrototypeGetSymbolToStringTag, isInstance,
} from 'jsrunner:primordials';

/** Return the text of toISOString without trailing zeros of the fraction. */
const dateText = (date) => {
  if (NumberIsNaN(DatePrototypeGetTime(date))) return null;
  const text = DatePrototypeToISOString(date); // ends in .sssZ
  let fraction = StringPrototypeSlice(text, -5, -1);
  while (StringPrototypeEndsWith(fraction, '0')) fraction = StringPrototypeSlice(fraction, 0, -1);
  if (fraction === '.') fraction = '';
  return StringPrototypeSlice(text, 0, -5) + fraction + 'Z';
};

/** Return a view as Go's JSON has it: bytes as base64, other numbers as a list, a DataView as an empty object. */
const ofView = (view, path) => {
  const kind = TypedArrayPrototypeGetSymbolToStringTag(view);
  if (kind === undefined) return { __proto__: null };
  if (kind !== 'Uint8Array' && kind !== 'Uint8ClampedArray') return listOf(view, path, TypedArrayPrototypeGetLength(view));
  return host('vu.base64', copyOf(view));
};

const listOf = (items, path, count = items.length) => {
  const copy = SafeArray();
  for (let i = 0; i < count; i += 1) ArrayPrototypePush(copy, goJSON(items[i], path));
  return copy;
};

const recordOf = (value, path) => {
  const copy = { __proto__: null };
  const names = ArrayPrototypeSort(ObjectKeys(value));
  const shown = goStruct(value);
  if (typeof shown === 'function') return shown();
  for (let i = 0; i < names.length; i += 1) {
    const member = value[names[i]];
    if (typeof member !== 'function' || !ArrayPrototypeIncludes(goMethods, member)) {
      copy[shown ? shown[names[i]] : names[i]] = goJSON(member, path);
    }
  }
  return copy;
};

const collected = (collection, forEach) => {
  const items = SafeArray();
  forEach(collection, (value, key) => ArrayPrototypePush(items, key === value ? value : [key, value]));
  return items;
};

const objectOf = (value, above) => {
  if (isInstance(Date, value)) return dateText(value);
  if (isInstance(ArrayBuffer, value) || isInstance(String, value)) return { __proto__: null };
  if (isInstance(Number, value)) return goJSON(Number(value), above);
  if (isInstance(Boolean, value)) return JSONStringify(value) === 'true';
  if (ArrayPrototypeIncludes(above, value)) {
    const type = ArrayIsArray(value) ? '[]interface {}' : 'map[string]interface {}';
    throw new GoError('json: unsupported value: encountered a cycle via ' + type);
  }
  const path = ArrayPrototypeSlice(above);
  ArrayPrototypePush(path, value);
  if (ArrayBufferIsView(value)) return ofView(value, path);
  if (ArrayIsArray(value)) return listOf(value, path);
  if (isInstance(Set, value)) return listOf(collected(value, SetPrototypeForEach), path);
  if (isInstance(Map, value)) return listOf(collected(value, MapPrototypeForEach), path);
  return recordOf(value, path);
};

/** Convert a value to lists and records without methods, for `textOf`. Throws Go's errors. */
export const goJSON = (value, above = SafeArray()) => {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'symbol': return SymbolPrototypeGetDescription(value) ?? '';
    case 'bigint': return Number(value);
    case 'function': throw new GoError('json: unsupported type: func(sobek.FunctionCall) sobek.Value');
    case 'object': return objectOf(value, above);
    case 'number':
      if (NumberIsFinite(value)) return value;
      throw new GoError('json: unsupported value: ' + (value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN'));
    default: return value;
  }
};

/** Return the JSON of goJSON's result. JSON.stringify cannot be used: it may call setters that a script has defined. */
export const textOf = (value) => {
  if (typeof value !== 'object' || value === null) return JSONStringify(value);
  const isList = ArrayIsArray(value);
  const names = ObjectKeys(value);
  let text = '';
  for (let i = 0; i < names.length; i += 1) {
    if (i > 0) text += ',';
    if (!isList) text += JSONStringify(names[i]) + ':';
    text += textOf(value[names[i]]);
  }
  return isList ? '[' + text + ']' : '{' + text + '}';
};

/** Return the texts and buffers of handleSummary's result, by their names. Throws Go's errors. */
export const writtenOf = (result) => {
  if (goType(result) !== 'map[string]interface {}') {
    throw new GoError('handleSummary() should return a map with string keys');
  }
  const written = { __proto__: null };
  const names = ObjectKeys(result);
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const content = result[name];
    if (typeof content === 'string') {
      written[name] = content;
    } else if (typeof content === 'symbol') {
      written[name] = SymbolPrototypeGetDescription(content) ?? '';
    } else if (isBytes(content) && !isInstance(DataView, content)) {
      written[name] = [host('vu.base64', copyOf(content))];
    } else {
      throw new GoError('error handling summary object ' + name + ': invalid type ' + goType(content)
        + ', it needs to be a string or ArrayBuffer');
    }
  }
  return written;
};
