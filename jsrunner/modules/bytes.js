// jsrunner:bytes — buffers, their views, and arguments that k6 takes as bytes.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import {
  ArrayBuffer, ArrayBufferIsView, DataView, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag,
  Uint8Array, isInstance, reserve, uncurryThis,
} from 'jsrunner:primordials';

export const TypedArrayPrototypeGetBuffer = uncurryThis(reserve.typedArrayBuffer);
export const TypedArrayPrototypeGetByteLength = uncurryThis(reserve.typedArrayByteLength);
const TypedArrayPrototypeGetByteOffset = uncurryThis(reserve.typedArrayByteOffset);
export const TypedArrayPrototypeSet = uncurryThis(reserve.typedArraySet);
export const DataViewPrototypeGetBuffer = uncurryThis(reserve.dataViewBuffer);
const DataViewPrototypeGetByteLength = uncurryThis(reserve.dataViewByteLength);
const DataViewPrototypeGetByteOffset = uncurryThis(reserve.dataViewByteOffset);

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
