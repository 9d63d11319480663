// TextEncoder and TextDecoder (https://encoding.spec.whatwg.org/) as far as k6 has them.
// @ts-check
import { host, pack, packText, release, unpack } from 'jsrunner:host';

const LABELS = {
  '': 'utf-8', 'utf-8': 'utf-8', utf8: 'utf-8', 'utf-16': 'utf-16le', 'utf-16le': 'utf-16le', 'utf-16be': 'utf-16be',
};

const NOTHING = new Uint8Array(0);

class TextEncoder {
  get encoding() {
    return 'utf-8';
  }
  encode(text) {
    const bytes = unpack(host('text.encode', packText(text === undefined ? '' : String(text))));
    release();
    return new Uint8Array(bytes);
  }
}

class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  /** Of a text that comes in pieces: whether it has begun, and bytes of a character that is not complete. */
  #begun = false;
  #rest = NOTHING;
  constructor(label, options) {
    const name = label === undefined ? '' : String(label).trim().toLowerCase();
    if (!Object.hasOwn(LABELS, name)) throw new RangeError('unsupported encoding: ' + String(label));
    this.#encoding = LABELS[name];
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }
  get encoding() {
    return this.#encoding;
  }
  get fatal() {
    return this.#fatal;
  }
  get ignoreBOM() {
    return this.#ignoreBOM;
  }
  decode(input, options) {
    const more = Boolean(options?.stream);
    const bytes = this.#withRest(input);
    const begun = this.#begun;
    this.#begun = false;
    this.#rest = NOTHING;
    try {
      const [text, used] = host('text.decode', pack(bytes.buffer), this.#encoding, this.#fatal,
        this.#ignoreBOM || begun, more);
      this.#begun = more && (begun || used > 0);
      this.#rest = bytes.slice(used);
      return unpack(text);
    } finally {
      release();
    }
  }
  #withRest(input) {
    let bytes = NOTHING;
    if (input instanceof ArrayBuffer) {
      bytes = new Uint8Array(input.slice(0));
    } else if (ArrayBuffer.isView(input)) {
      bytes = new Uint8Array(input.buffer.slice(input.byteOffset, input.byteOffset + input.byteLength));
    } else if (input !== undefined && input !== null) {
      throw new TypeError('decoding text: the input is no ArrayBuffer, TypedArray or DataView');
    }
    if (!this.#rest.length) return bytes;
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    return all;
  }
}

for (const value of [TextEncoder, TextDecoder]) {
  Object.defineProperty(globalThis, value.name, { value, writable: true, configurable: true });
}
