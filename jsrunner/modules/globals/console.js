// console: five levels, arguments joined by a space, values written as k6 writes them.
// @ts-check
import { GoValue, callPython, flush } from 'jsrunner:host';

const bytesOf = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** A value inside of another one. */
const nested = (value, above) => {
  switch (typeof value) {
    case 'string': return `"${value}"`;
    case 'undefined': return 'null';
    case 'function': return '[object Function]';
    case 'symbol': return `"${value.description ?? ''}"`;
    case 'object': return structure(value, above);
    default: return Object.is(value, -0) ? '0' : String(value);
  }
};

const structure = (value, above) => {
  if (value === null) return 'null';
  if (above.includes(value)) return '[Circular]';
  if (value instanceof Error || value instanceof GoValue) return String(value);
  if (value instanceof Date) return JSON.stringify(value) ?? 'null';
  if (value instanceof ArrayBuffer) {
    return `ArrayBuffer { [Uint8Contents]: <${bytesOf(value)}>, byteLength: ${value.byteLength} }`;
  }
  const path = [...above, value];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const name = value.constructor.name.replace('Uint8Clamped', 'Uint8');
    if (value.length === 0) return `${name}(0) []`;
    const items = Array.from(value, (item) => String(item)).join(', ');
    return `${name}(${value.length}) [ ${items} ]`;
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[ ${Array.from(value, (item) => nested(item, path)).join(', ')} ]`;
  }
  const keys = Object.keys(value);
  if (keys.length === 0) return '{}';
  return `{ ${keys.map((key) => `${key}: ${nested(value[key], path)}`).join(', ')} }`;
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
  callPython('console.log', level, values.length === 1 ? shown(values[0]) : values.map(shown).join(' '));
};

Object.defineProperty(globalThis, 'console', {
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
