// jsrunner:bytes — arguments that k6 takes as bytes: texts, ArrayBuffers, typed arrays.
// @ts-check
import {
  ArrayBuffer, DataView, GoError, Uint8Array, isArray, isInteger, isView, method, pack, packText,
} from 'jsrunner:host';

const cut = method(ArrayBuffer.prototype.slice);

/** The name of the Go type that a value becomes in k6; for error texts. */
export const goType = (value) => {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'number') return isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'function') return 'func(sobek.FunctionCall) sobek.Value';
  return isArray(value) ? '[]interface {}' : 'map[string]interface {}';
};

const isBytes = (list) => {
  for (let i = 0; i < list.length; i += 1) if (!isInteger(list[i])) return false;
  return true;
};

/** [kind, handle] for Python's `unpack_input`; `prefix` begins the error's text. */
export const packInput = (value, prefix) => {
  if (typeof value === 'string') return ['text', packText(value)];
  if (value instanceof ArrayBuffer) return ['buffer', pack(value)];
  if (isView(value) && !(value instanceof DataView)) {
    return ['buffer', pack(cut(value.buffer, value.byteOffset, value.byteOffset + value.byteLength))];
  }
  if (isArray(value) && isBytes(value)) {
    return ['buffer', pack(new Uint8Array(value).buffer)];
  }
  throw new GoError(`${prefix} ${goType(value)}, expected string, []byte or ArrayBuffer`);
};
