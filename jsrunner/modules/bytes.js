// jsrunner:bytes — buffers and views of them, and arguments that k6 takes as bytes.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import { pack, packText } from 'jsrunner:host';
import {
  ArrayBuffer, ArrayBufferIsView, ArrayIsArray, DataView, TypedArrayPrototypeGetLength, Uint8Array, isInstance, reserve,
  uncurryThis,
} from 'jsrunner:primordials';

export const TypedArrayPrototypeGetBuffer = uncurryThis(reserve.typedArrayBuffer);
export const TypedArrayPrototypeGetByteLength = uncurryThis(reserve.typedArrayByteLength);
const TypedArrayPrototypeGetByteOffset = uncurryThis(reserve.typedArrayByteOffset);
export const TypedArrayPrototypeSet = uncurryThis(reserve.typedArraySet);
export const DataViewPrototypeGetBuffer = uncurryThis(reserve.dataViewBuffer);
const DataViewPrototypeGetByteLength = uncurryThis(reserve.dataViewByteLength);
const DataViewPrototypeGetByteOffset = uncurryThis(reserve.dataViewByteOffset);

/** Whether a value is an ArrayBuffer, a typed array or a DataView. */
export const isBytes = (value) => isInstance(ArrayBuffer, value) || ArrayBufferIsView(value);

/** A Uint8Array over the bytes of an ArrayBuffer, a typed array or a DataView. */
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

/** A new ArrayBuffer with the bytes of one, of a typed array or of a DataView. */
export const copyOf = (value) => {
  const view = viewOf(value);
  const copy = new Uint8Array(TypedArrayPrototypeGetLength(view));
  TypedArrayPrototypeSet(copy, view);
  return TypedArrayPrototypeGetBuffer(copy);
};

/** The bytes that a list has as numbers; undefined if one of its items is no whole number. */
const bytesOfList = (list) => {
  const bytes = new Uint8Array(list.length);
  for (let i = 0; i < list.length; i += 1) {
    const byte = list[i];
    if (typeof byte !== 'number' || byte % 1 !== 0) return undefined;
    bytes[i] = byte;
  }
  return TypedArrayPrototypeGetBuffer(bytes);
};

/** [kind, handle] for Python's `unpack_input`; `prefix` begins the error's text. */
export const packInput = (value, prefix) => {
  if (typeof value === 'string') return ['text', packText(value)];
  if (isInstance(ArrayBuffer, value)) return ['buffer', pack(value)];
  if (ArrayBufferIsView(value) && !isInstance(DataView, value)) return ['buffer', pack(copyOf(value))];
  const listed = ArrayIsArray(value) ? bytesOfList(value) : undefined;
  if (listed) return ['buffer', pack(listed)];
  throw new GoError(prefix + ' ' + goType(value) + ', expected string, []byte or ArrayBuffer');
};
