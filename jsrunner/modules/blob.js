// jsrunner:blob — k6's Blob: https://grafana.com/docs/k6/latest/javascript-api/k6-websockets/blob/
// @ts-check
import {
  ArrayBuffer, DataView, GoError, Object, String, Uint8Array, assign, defineProperty, entries, host, isArray, isView,
  method, pack, packText, push, release, unpack,
} from 'jsrunner:host';
import { goType } from 'jsrunner:bytes';

const { WeakMap } = globalThis;
const { create } = Object;
const setBytes = method(Uint8Array.prototype.set);
const copyOf = method(Uint8Array.prototype.slice);

/** Blob -> its Uint8Array, which nobody else has. */
const contents = new WeakMap();
const contentOf = method(WeakMap.prototype.get);
const keepContent = method(WeakMap.prototype.set);

const cross = (op, packed) => {
  const result = unpack(host(op, packed));
  release();
  return result;
};
const encode = (text) => new Uint8Array(cross('websockets.encode', packText(text)));
const decode = (content) => cross('websockets.decode', pack(copyOf(content).buffer));

const bytesOfPart = (value) => {
  if (typeof value === 'string') return encode(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof DataView) return new Uint8Array(value.buffer); // all of it, as in k6
  if (isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const content = contentOf(contents, value);
  if (!content) throw new GoError(`failed to process [blobParts]: unsupported type: ${goType(value)}`);
  return content;
};

const join = (parts) => {
  const pieces = [];
  let size = 0;
  for (let i = 0; i < parts.length; i += 1) {
    const bytes = bytesOfPart(parts[i]);
    push(pieces, bytes);
    size += bytes.length;
  }
  const joined = new Uint8Array(size);
  let end = 0;
  for (let i = 0; i < pieces.length; i += 1) {
    setBytes(joined, pieces[i], end);
    end += pieces[i].length;
  }
  return joined;
};

const make = (blob, content, type) => {
  keepContent(contents, blob, content);
  defineProperty(blob, 'size', { __proto__: null, value: content.length, enumerable: true });
  defineProperty(blob, 'type', { __proto__: null, value: type, enumerable: true });
  return blob;
};

// Works without `new`, as all of k6's constructors do.
export function Blob(parts, options) {
  if (!new.target) return new Blob(parts, options);
  const nothing = parts === undefined || parts === null;
  if (!nothing && !isArray(parts)) {
    throw new GoError(`failed to process [blobParts]: could not convert ${parts} to []interface {}`);
  }
  const content = nothing ? new Uint8Array(0) : join(parts);
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new GoError('[options] must be an object');
  }
  const type = options?.type;
  make(this, content, type === undefined || type === null ? '' : String(type));
}
const { prototype } = Blob;

/** A Blob of bytes that belong to nobody else. */
export const blobOf = (content, type = '') => make(create(prototype), content, type);

/** The bytes of a Blob, not to be changed; undefined for anything else. */
export const bytesOfBlob = (value) => contentOf(contents, value);

// Few scripts need streams, and each VU would pay for them: they are loaded by the first that does.
let ReadableStream;
entries.provideStreams = (constructor) => {
  ReadableStream = constructor;
};

assign(prototype, {
  async arrayBuffer() {
    return copyOf(contentOf(contents, this)).buffer;
  },
  async bytes() {
    return copyOf(contentOf(contents, this));
  },
  async text() {
    return decode(contentOf(contents, this));
  },
  slice(start = 0, end = this.size, type = '') {
    return blobOf(copyOf(contentOf(contents, this), start, end), String(type));
  },
  stream() {
    if (!ReadableStream) host('websockets.load_streams');
    const content = contentOf(contents, this);
    return new ReadableStream({
      start(controller) {
        // As in k6 the chunks are texts.
        if (content.length) controller.enqueue(decode(content));
        controller.close();
      },
    });
  },
  toString() {
    return '[object Blob]';
  },
});
