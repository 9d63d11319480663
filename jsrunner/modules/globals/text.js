// TextEncoder and TextDecoder (https://encoding.spec.whatwg.org/) as far as k6 has them.
// @ts-check
import { copyOf, isBytes } from 'jsrunner:bytes';
import {
  host, pack, packText, release, unpack,
} from 'jsrunner:host';
import { defineGlobal } from 'jsrunner:language';
import {
  RangeError, String, StringPrototypeToLowerCase, StringPrototypeTrim, TypeError, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetLength, TypedArrayPrototypeSet, Uint8Array,
} from 'jsrunner:primordials';
import { isNullish } from 'jsrunner:values';

const LABELS = {
  __proto__: null,
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
    const name = label === undefined ? '' : StringPrototypeToLowerCase(StringPrototypeTrim(String(label)));
    if (!(name in LABELS)) throw new RangeError('unsupported encoding: ' + String(label));
    this.#encoding = LABELS[name];
    this.#fatal = !!options?.fatal;
    this.#ignoreBOM = !!options?.ignoreBOM;
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
    const more = !!options?.stream;
    const bytes = this.#withRest(input);
    const begun = this.#begun;
    this.#begun = false;
    this.#rest = NOTHING;
    try {
      const buffer = TypedArrayPrototypeGetBuffer(bytes);
      const decoded = host('text.decode', pack(buffer), this.#encoding, this.#fatal, this.#ignoreBOM || begun, more);
      const used = decoded[1];
      this.#begun = more && (begun || used > 0);
      this.#rest = new Uint8Array(copyOf(new Uint8Array(buffer, used)));
      return unpack(decoded[0]);
    } finally {
      release();
    }
  }
  #withRest(input) {
    const isNothing = isNullish(input);
    if (!isNothing && !isBytes(input)) {
      throw new TypeError('decoding text: the input is no ArrayBuffer, TypedArray or DataView');
    }
    const bytes = isNothing ? NOTHING : new Uint8Array(copyOf(input));
    const kept = TypedArrayPrototypeGetLength(this.#rest);
    if (kept === 0) return bytes;
    const all = new Uint8Array(kept + TypedArrayPrototypeGetLength(bytes));
    TypedArrayPrototypeSet(all, this.#rest);
    TypedArrayPrototypeSet(all, bytes, kept);
    return all;
  }
}

defineGlobal('TextEncoder', TextEncoder);
defineGlobal('TextDecoder', TextDecoder);
