// TextEncoder and TextDecoder, as far as k6 has them.
// @ts-check
import { host, pack, packText, release, unpack } from 'jsrunner:host';

const LABELS = {
  '': 'utf-8', 'utf-8': 'utf-8', utf8: 'utf-8', 'utf-16': 'utf-16le', 'utf-16le': 'utf-16le', 'utf-16be': 'utf-16be',
};

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
  constructor(label, options) {
    const name = label === undefined ? '' : String(label).trim().toLowerCase();
    if (!(name in LABELS)) throw new RangeError(`unsupported encoding: ${label}`);
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
  decode(input) {
    if (input === undefined) return '';
    const view = ArrayBuffer.isView(input);
    const buffer = view ? input.buffer.slice(input.byteOffset, input.byteOffset + input.byteLength) : input;
    const text = unpack(host('text.decode', pack(buffer), this.#encoding, this.#fatal, this.#ignoreBOM));
    release();
    return text;
  }
}

for (const value of [TextEncoder, TextDecoder]) {
  Object.defineProperty(globalThis, value.name, { value, writable: true, configurable: true });
}
