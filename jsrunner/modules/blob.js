// jsrunner:blob — k6's Blob: https://grafana.com/docs/k6/latest/javascript-api/k6-websockets/blob/
// @ts-check
import {
  GoError, entries, host, pack, packText, release, unpack,
} from 'jsrunner:host';
import { goType } from 'jsrunner:bytes';

const bytes = new WeakMap(); // Blob -> its Uint8Array, which nobody else has

const cross = (op, packed) => {
  const result = unpack(host(op, packed));
  release();
  return result;
};
const encode = (text) => new Uint8Array(cross('websockets.encode', packText(text)));
const decode = (content) => cross('websockets.decode', pack(content.slice().buffer));

const bytesOfPart = (part) => {
  if (typeof part === 'string') return encode(part);
  if (part instanceof ArrayBuffer) return new Uint8Array(part);
  if (part instanceof DataView) return new Uint8Array(part.buffer); // all of it, as in k6
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  const blob = bytes.get(part);
  if (!blob) throw new GoError(`failed to process [blobParts]: unsupported type: ${goType(part)}`);
  return blob;
};

const join = (parts) => {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.byteLength;
  }
  return joined;
};

// Works without `new`, as all of k6's constructors do.
export function Blob(parts, options) {
  if (!new.target) return new Blob(parts, options);
  let content = new Uint8Array();
  if (parts !== undefined && parts !== null) {
    if (!Array.isArray(parts)) {
      throw new GoError(`failed to process [blobParts]: could not convert ${parts} to []interface {}`);
    }
    content = join(parts.map(bytesOfPart));
  }
  let type = '';
  if (options !== undefined) {
    if (typeof options !== 'object' || options === null) throw new GoError('[options] must be an object');
    if (options.type !== undefined && options.type !== null) type = String(options.type);
  }
  make(this, content, type);
}

const make = (blob, content, type) => {
  bytes.set(blob, content);
  Object.defineProperties(blob, {
    size: { value: content.byteLength, enumerable: true },
    type: { value: type, enumerable: true },
  });
  return blob;
};

/** A Blob of bytes that belong to nobody else. */
export const blobOf = (content, type = '') => make(Object.create(Blob.prototype), content, type);

/** The bytes of a Blob, not to be changed; undefined for anything else. */
export const bytesOfBlob = (value) => bytes.get(value);

const copy = (blob) => bytes.get(blob).slice();

// Few scripts need streams, and each VU would pay for them: they are loaded by the first that does.
let ReadableStream;
entries.provideStreams = (constructor) => {
  ReadableStream = constructor;
};

Object.assign(Blob.prototype, {
  async arrayBuffer() {
    return copy(this).buffer;
  },
  async bytes() {
    return copy(this);
  },
  async text() {
    return decode(bytes.get(this));
  },
  slice(start = 0, end = this.size, type = '') {
    return blobOf(bytes.get(this).slice(start, end), String(type));
  },
  stream() {
    if (!ReadableStream) host('websockets.load_streams');
    const content = bytes.get(this);
    return new ReadableStream({
      start(controller) {
        // As in k6 the chunks are texts.
        if (content.byteLength) controller.enqueue(decode(content));
        controller.close();
      },
    });
  },
  toString() {
    return '[object Blob]';
  },
});
