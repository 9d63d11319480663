// jsrunner:bytes — arguments that k6 takes as bytes: texts, ArrayBuffers, typed arrays.
// @ts-check
import { GoError, pack, packText } from 'jsrunner:host';

/** The name of the Go type that a value becomes in k6; for error texts. */
export const goType = (value) => {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'function') return 'func(sobek.FunctionCall) sobek.Value';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
};

/** [kind, handle] for Python's `unpack_input`; `prefix` begins the error's text. */
export const packInput = (value, prefix) => {
  if (typeof value === 'string') return ['text', packText(value)];
  if (value instanceof ArrayBuffer) return ['buffer', pack(value)];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return ['buffer', pack(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength))];
  }
  if (Array.isArray(value) && value.every((item) => Number.isInteger(item))) {
    return ['buffer', pack(new Uint8Array(value).buffer)];
  }
  throw new GoError(`${prefix} ${goType(value)}, expected string, []byte or ArrayBuffer`);
};
