// jsrunner:blob — k6's Blob: https://grafana.com/docs/k6/latest/javascript-api/k6-websockets/blob/
// @ts-check
import {
  DataViewPrototypeGetBuffer, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeSet, copyOf, isBytes, viewOf,
} from 'jsrunner:bytes';
import { GoError } from 'jsrunner:errors';
import { load } from 'jsrunner:core';
import { goType } from 'jsrunner:go_types';
import { entries, host } from 'jsrunner:host';
import {
  ArrayIsArray, ArrayPrototypePush, DataView, MathMax, MathMin, MathTrunc, Number, ObjectCreate, ObjectDefineProperty,
  ObjectKeys, SafeArray, SafeWeakMap, String, SymbolIterator, TypedArrayPrototypeGetLength, Uint8Array, isInstance,
} from 'jsrunner:primordials';
import { isNullish, isObject, setOwn } from 'jsrunner:values';

const CONVERT = 'failed to process [blobParts]: ';

/** Blob -> its Uint8Array, to which no other reference exists. */
const contents = new SafeWeakMap();

const encode = (text) => new Uint8Array(host('session.encode', text));
const decode = (content) => host('session.decode', copyOf(content));

const bytesOfPart = (value) => {
  if (typeof value === 'string') return encode(value);
  if (isInstance(DataView, value)) return new Uint8Array(DataViewPrototypeGetBuffer(value)); // all of it, as in k6
  if (isBytes(value)) return viewOf(value);
  const content = contents.get(value);
  if (!content) throw new GoError(CONVERT + 'unsupported type: ' + goType(value));
  return content;
};

const join = (parts) => {
  const pieces = SafeArray();
  let size = 0;
  for (let i = 0; i < parts.length; i += 1) {
    const bytes = bytesOfPart(parts[i]);
    ArrayPrototypePush(pieces, bytes);
    size += TypedArrayPrototypeGetLength(bytes);
  }
  const joined = new Uint8Array(size);
  let end = 0;
  for (let i = 0; i < pieces.length; i += 1) {
    TypedArrayPrototypeSet(joined, pieces[i], end);
    end += TypedArrayPrototypeGetLength(pieces[i]);
  }
  return joined;
};

const make = (blob, content, type) => {
  contents.set(blob, content);
  const size = TypedArrayPrototypeGetLength(content);
  ObjectDefineProperty(blob, 'size', { __proto__: null, value: size, enumerable: true });
  ObjectDefineProperty(blob, 'type', { __proto__: null, value: type, enumerable: true });
  return blob;
};

/** Return the parts as a list. k6 accepts arrays, iterable objects, and objects with a length. */
const partsOf = (parts) => {
  if (isNullish(parts)) return [];
  if (ArrayIsArray(parts)) return parts;
  if (typeof parts !== 'object' && typeof parts !== 'function') {
    throw new GoError(CONVERT + 'could not convert ' + String(parts) + ' to []interface {}');
  }
  const list = SafeArray();
  if (typeof parts[SymbolIterator] === 'function') {
    const items = parts[SymbolIterator]();
    for (let item = items.next(); !item.done; item = items.next()) ArrayPrototypePush(list, item.value);
  } else if (typeof parts === 'object' && parts.length !== undefined) {
    for (let i = 0; i < parts.length; i += 1) ArrayPrototypePush(list, parts[i]);
  } else {
    throw new GoError(CONVERT + 'cannot convert ' + String(parts) + ' to []interface {}: not an array or iterable');
  }
  return list;
};

// As k6's constructors do, Blob works without `new` and has a length of 0.
export function Blob(parts = undefined, options = undefined) {
  if (!new.target) return new Blob(parts, options);
  const content = join(partsOf(parts));
  if (options !== undefined && (!isObject(options) || ArrayIsArray(options))) {
    throw new GoError('[options] must be an object');
  }
  const type = options?.type;
  make(this, content, type === undefined ? '' : String(type));
}
const { prototype } = Blob;

/** Return a Blob that takes over the bytes. */
export const blobOf = (content, type = '') => make(ObjectCreate(prototype), content, type);

/** Return the bytes of a Blob, which the caller must not change; undefined for any other value. */
export const bytesOfBlob = (value) => contents.get(value);

// Streams cost memory in each VU, and few scripts use them. The first call of stream() loads them.
let ReadableStream;
entries.provideStreams = (constructor) => {
  ReadableStream = constructor;
};

/** Maximum bytes of a chunk of a stream. */
const CHUNK_BYTES = 1024;

/** Return an index as a position from 0 to `size`, as the language's `slice` does. */
const position = (value, size) => {
  const index = MathTrunc(Number(value)) || 0;
  return index < 0 ? MathMax(size + index, 0) : MathMin(index, size);
};

const part = (content, start, end) => {
  const size = TypedArrayPrototypeGetLength(content);
  const first = position(start, size);
  const last = end === undefined ? size : position(end, size);
  return new Uint8Array(copyOf(new Uint8Array(TypedArrayPrototypeGetBuffer(content), first, MathMax(last - first, 0))));
};

const methods = {
  __proto__: null,
  async arrayBuffer() {
    return copyOf(contents.get(this));
  },
  async bytes() {
    return new Uint8Array(copyOf(contents.get(this)));
  },
  async text() {
    return decode(contents.get(this));
  },
  slice(start, end, type) {
    return blobOf(part(contents.get(this), start, end), type === undefined ? '' : String(type));
  },
  stream() {
    if (!ReadableStream) load('jsrunner:blob_streams');
    const content = contents.get(this);
    let at = 0;
    return new ReadableStream({
      __proto__: null,
      // As in k6, the chunks are texts, and the last chunk is empty.
      pull(controller) {
        const chunk = part(content, at, at + CHUNK_BYTES);
        at += TypedArrayPrototypeGetLength(chunk);
        const isLast = TypedArrayPrototypeGetLength(chunk) === 0;
        controller.enqueue(isLast ? '' : decode(chunk));
        if (isLast) controller.close();
      },
    });
  },
  toString() {
    return '[object Blob]';
  },
};
const names = ObjectKeys(methods);
for (let i = 0; i < names.length; i += 1) setOwn(prototype, names[i], methods[names[i]]);
