// jsrunner:console_values — formats values that are no texts for console. The first such value loads it.
// @ts-check
import { GoValue } from 'jsrunner:errors';
import { Date, DatePrototypeGetTime, DatePrototypeToISOString } from 'jsrunner:more_primordials';
import {
  ArrayBuffer, ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ArrayIsArray, ArrayPrototypeIncludes,
  ArrayPrototypeJoin, ArrayPrototypePush, ArrayPrototypeSlice, Error, NumberIsNaN, ObjectKeys, SafeArray, String,
  SymbolPrototypeGetDescription, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
  isInstance,
} from 'jsrunner:primordials';

/** Return the results of `show` for a list's items, joined by the separator. */
const list = (items, count, show, separator = ', ') => {
  const texts = SafeArray();
  for (let i = 0; i < count; i += 1) ArrayPrototypePush(texts, show(items[i]));
  return ArrayPrototypeJoin(texts, separator);
};

const HEX = '0123456789abcdef';
const hexOf = (buffer, size) => (
  list(new Uint8Array(buffer), size, (byte) => HEX[byte >> 4] + HEX[byte & 15], ' ')
);

/** Return the text of a value inside other values. `above` holds the enclosing values. */
const nested = (value, above) => {
  switch (typeof value) {
    case 'string': return '"' + value + '"';
    case 'undefined': return 'null';
    case 'function': return '[object Function]';
    case 'symbol': return '"' + (SymbolPrototypeGetDescription(value) ?? '') + '"';
    case 'object': return structure(value, above);
    default: return value === 0 ? '0' : String(value);
  }
};

const structure = (value, above) => {
  if (value === null) return 'null';
  if (ArrayPrototypeIncludes(above, value)) return '[Circular]';
  if (isInstance(Error, value) || (isInstance(GoValue, value) && above.length === 0)) return String(value);
  if (isInstance(Date, value)) {
    return NumberIsNaN(DatePrototypeGetTime(value)) ? 'null' : '"' + DatePrototypeToISOString(value) + '"';
  }
  if (isInstance(ArrayBuffer, value)) {
    const size = ArrayBufferPrototypeGetByteLength(value);
    return 'ArrayBuffer { [Uint8Contents]: <' + hexOf(value, size) + '>, byteLength: ' + size + ' }';
  }
  const path = ArrayPrototypeSlice(above);
  ArrayPrototypePush(path, value);
  const kind = ArrayBufferIsView(value) ? TypedArrayPrototypeGetSymbolToStringTag(value) : undefined;
  if (kind !== undefined) {
    const name = kind === 'Uint8ClampedArray' ? 'Uint8Array' : kind;
    const count = TypedArrayPrototypeGetLength(value);
    return count === 0 ? name + '(0) []' : name + '(' + count + ') [ ' + list(value, count, String) + ' ]';
  }
  if (ArrayIsArray(value)) {
    if (value.length === 0) return '[]';
    return '[ ' + list(value, value.length, (item) => nested(item, path)) + ' ]';
  }
  const names = ObjectKeys(value);
  if (names.length === 0) return '{}';
  return '{ ' + list(names, names.length, (name) => name + ': ' + nested(value[name], path)) + ' }';
};

/** Return the text of an argument of console.log. */
export const written = (value) => nested(value, SafeArray());
