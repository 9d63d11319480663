// console: five levels, arguments joined by a space, values written as k6 writes them.
// @ts-check
import {
  ArrayBuffer, DataView, Date, Error, GoValue, String, Uint8Array, callPython, defineProperty, flush, includes, is, isArray,
  isView, join, keys, push, replaceIn, slice, stringify,
} from 'jsrunner:host';

/** The texts that `show` makes of a list's items, with commas. */
const list = (items, show) => {
  const texts = [];
  for (let i = 0; i < items.length; i += 1) push(texts, show(items[i]));
  return join(texts, ', ');
};

const HEX = '0123456789abcdef';
const bytesOf = (buffer) => replaceIn(
  list(new Uint8Array(buffer), (byte) => HEX[byte >> 4] + HEX[byte & 15]), /,/g, '',
);

/** A value inside of another one. */
const nested = (value, above) => {
  switch (typeof value) {
    case 'string': return `"${value}"`;
    case 'undefined': return 'null';
    case 'function': return '[object Function]';
    case 'symbol': return `"${value.description ?? ''}"`;
    case 'object': return structure(value, above);
    default: return is(value, -0) ? '0' : String(value);
  }
};

const structure = (value, above) => {
  if (value === null) return 'null';
  if (includes(above, value)) return '[Circular]';
  if (value instanceof Error || value instanceof GoValue) return String(value);
  if (value instanceof Date) return stringify(value) ?? 'null';
  if (value instanceof ArrayBuffer) {
    return `ArrayBuffer { [Uint8Contents]: <${bytesOf(value)}>, byteLength: ${value.byteLength} }`;
  }
  const path = slice(above);
  push(path, value);
  if (isView(value) && !(value instanceof DataView)) {
    const name = replaceIn(value.constructor.name, 'Uint8Clamped', 'Uint8');
    if (value.length === 0) return `${name}(0) []`;
    return `${name}(${value.length}) [ ${list(value, String)} ]`;
  }
  if (isArray(value)) {
    if (value.length === 0) return '[]';
    return `[ ${list(value, (item) => nested(item, path))} ]`;
  }
  const names = keys(value);
  if (names.length === 0) return '{}';
  return `{ ${list(names, (name) => `${name}: ${nested(value[name], path)}`)} }`;
};

/** A value as an argument of console.log. */
const shown = (value) => {
  switch (typeof value) {
    case 'string': return value;
    case 'undefined': return 'undefined';
    case 'symbol': return value.description ?? '';
    default: return nested(value, []);
  }
};

const writer = (level) => (...values) => {
  flush();
  let text = values.length ? shown(values[0]) : '';
  for (let i = 1; i < values.length; i += 1) text += ` ${shown(values[i])}`;
  callPython('console.log', level, text);
};

defineProperty(globalThis, 'console', {
  value: {
    debug: writer('debug'),
    error: writer('error'),
    info: writer('info'),
    log: writer('info'),
    warn: writer('warning'),
  },
  writable: true,
  configurable: true,
});
