// The parts of TextEncoder and TextDecoder (https://encoding.spec.whatwg.org/) that k6 has.
// @ts-check
import {
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeSet, copyOf, isBytes, viewOf,
} from 'jsrunner:bytes';
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import { StringPrototypeToLowerCase } from 'jsrunner:more_primordials';
import {
  ArrayIsArray, Boolean, Number, ObjectDefineProperty, RangeError, SafeWeakMap, String, StringPrototypeTrim, TypeError,
  TypedArrayPrototypeGetLength, Uint8Array,
} from 'jsrunner:primordials';
import { asText, defineMethods, isNullish } from 'jsrunner:values';

const UTF8 = 'utf-8';
const LITTLE = 'utf-16le';
const BIG = 'utf-16be';
const LABELS = {
  __proto__: null, '': UTF8, 'unicode-1-1-utf-8': UTF8, unicode11utf8: UTF8, unicode20utf8: UTF8, 'utf-8': UTF8, utf8: UTF8,
  'x-unicode20utf8': UTF8, csunicode: LITTLE, 'iso-10646-ucs-2': LITTLE, 'ucs-2': LITTLE, unicode: LITTLE, unicodefeff: LITTLE,
  'utf-16': LITTLE, 'utf-16le': LITTLE, unicodefffe: BIG, 'utf-16be': BIG,
};

const NOTHING = new Uint8Array(0);

/** Define a member that scripts can read but not change. */
const show = (object, name, value) => ObjectDefineProperty(object, name, { __proto__: null, value, enumerable: true });

/** Return the options as an object. `type` is k6's name of their type, for the error's text. */
const optionsOf = (options, type) => {
  if (isNullish(options)) return undefined;
  if (typeof options === 'object' || typeof options === 'function') return options;
  throw new GoError('could not convert ' + String(options) + ' to encoding.' + type);
};

// As k6's constructors do, these work without `new` and have a length of 0.

function TextEncoder() {
  if (!new.target) return new TextEncoder();
  show(this, 'encoding', UTF8);
}
defineMethods(TextEncoder.prototype, {
  __proto__: null,
  encode(text) {
    const bytes = host('text.encode', asText(text));
    return new Uint8Array(bytes);
  },
});

/** TextDecoder -> { begun, rest }: true if a text in pieces has begun, and the bytes of its incomplete character. */
const states = new SafeWeakMap();

const fresh = () => ({ __proto__: null, begun: false, rest: NOTHING });

/** Return the input of `decode` as bytes. */
const inputOf = (input) => {
  if (isNullish(input)) return NOTHING;
  if (isBytes(input)) return viewOf(input);
  if (typeof input === 'string') {
    const bytes = host('text.encode', input);
    return new Uint8Array(bytes);
  }
  if (!ArrayIsArray(input)) throw new GoError('data is not an ArrayBuffer, typed array, or DataView');
  const bytes = new Uint8Array(input.length);
  for (let i = 0; i < input.length; i += 1) bytes[i] = Number(input[i]);
  return bytes;
};

/** Return a new ArrayBuffer with the bytes of `rest` and `bytes`. */
const joined = (rest, bytes) => {
  const length = TypedArrayPrototypeGetLength(rest);
  if (!length) return copyOf(bytes);
  const all = new Uint8Array(length + TypedArrayPrototypeGetLength(bytes));
  TypedArrayPrototypeSet(all, rest);
  TypedArrayPrototypeSet(all, bytes, length);
  return TypedArrayPrototypeGetBuffer(all);
};

function TextDecoder(label = undefined, options = undefined) {
  if (!new.target) return new TextDecoder(label, options);
  const encoding = LABELS[StringPrototypeToLowerCase(StringPrototypeTrim(asText(label)))];
  if (encoding === undefined) throw new RangeError('unsupported encoding: ' + asText(label));
  const given = optionsOf(options, 'TextDecoderOptions');
  show(this, 'encoding', encoding);
  show(this, 'fatal', Boolean(given?.fatal));
  show(this, 'ignoreBOM', Boolean(given?.ignoreBOM));
  states.set(this, fresh());
}
defineMethods(TextDecoder.prototype, {
  __proto__: null,
  decode(input, options) {
    const state = typeof this === 'object' ? states.get(this) : undefined;
    if (!state) throw new TypeError('this is not a TextDecoder');
    const more = Boolean(optionsOf(options, 'TextDecodeOptions')?.stream);
    const bytes = joined(state.rest, inputOf(input));
    states.set(this, fresh());
    const result = host('text.decode', bytes, this.encoding, this.fatal, this.ignoreBOM || state.begun, more);
    const used = result[1];
    states.set(this, {
      __proto__: null, begun: more && (state.begun || used > 0), rest: new Uint8Array(copyOf(new Uint8Array(bytes, used))),
    });
    return result[0];
  },
});

export { TextDecoder, TextEncoder };
