// jsrunner:bytes — buffers, their views, and arguments that k6 takes as bytes.
// @ts-check
import { builtin, uncurried } from 'jsrunner:core';
import { GoError } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import { ArrayBuffer, Uint8Array, constructors, isInstance } from 'jsrunner:primordials';

const { DataView } = constructors;

export const ArrayBufferIsView = builtin('ArrayBuffer.isView');
export const ArrayBufferPrototypeGetByteLength = uncurried('ArrayBuffer.prototype.byteLength');
export const TypedArrayPrototypeGetLength = uncurried('Uint8Array.__proto__.prototype.length');
export const TypedArrayPrototypeGetSymbolToStringTag = uncurried('Uint8Array.__proto__.prototype.@@toStringTag');
export const TypedArrayPrototypeGetBuffer = uncurried('Uint8Array.__proto__.prototype.buffer');
export const TypedArrayPrototypeGetByteLength = uncurried('Uint8Array.__proto__.prototype.byteLength');
const TypedArrayPrototypeGetByteOffset = uncurried('Uint8Array.__proto__.prototype.byteOffset');
export const TypedArrayPrototypeSet = uncurried('Uint8Array.__proto__.prototype.set');
export const DataViewPrototypeGetBuffer = uncurried('DataView.prototype.buffer');
const DataViewPrototypeGetByteLength = uncurried('DataView.prototype.byteLength');
const DataViewPrototypeGetByteOffset = uncurried('DataView.prototype.byteOffset');

/** Return true if a value is an ArrayBuffer, a typed array or a DataView. */
export const isBytes = (value) => isInstance(ArrayBuffer, value) || ArrayBufferIsView(value);

/** Return a Uint8Array over the bytes of an ArrayBuffer, a typed array or a DataView. */
export const viewOf = (value) => {
  if (!ArrayBufferIsView(value)) return new Uint8Array(value);
  if (isInstance(DataView, value)) {
    return new Uint8Array(
      DataViewPrototypeGetBuffer(value), DataViewPrototypeGetByteOffset(value), DataViewPrototypeGetByteLength(value),
    );
  }
  return new Uint8Array(
    TypedArrayPrototypeGetBuffer(value), TypedArrayPrototypeGetByteOffset(value), TypedArrayPrototypeGetByteLength(value),
  );
};

/** Return a new ArrayBuffer with the bytes of an ArrayBuffer, a typed array or a DataView. */
export const copyOf = (value) => {
  const view = viewOf(value);
  const copy = new Uint8Array(TypedArrayPrototypeGetLength(view));
  TypedArrayPrototypeSet(copy, view);
  return TypedArrayPrototypeGetBuffer(copy);
};

/** Return the text or ArrayBuffer of an argument that k6 takes as bytes; `prefix` begins the error's text. */
export const bytesArgument = (value, prefix) => {
  if (typeof value === 'string' || isInstance(ArrayBuffer, value)) return value;
  const name = TypedArrayPrototypeGetSymbolToStringTag(value);
  if (name === 'Uint8Array' || name === 'Uint8ClampedArray') return copyOf(value);
  throw new GoError(prefix + ' ' + goType(value) + ', expected string, []byte or ArrayBuffer');
};
