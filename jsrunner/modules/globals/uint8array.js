// Base64 and hexadecimal of Uint8Array (https://tc39.es/proposal-arraybuffer-base64/spec/), which the engine lacks.
// @ts-check
import { TypedArrayPrototypeSet, copyOf } from 'jsrunner:bytes';
import { host } from 'jsrunner:host';
import {
  SyntaxError, TypeError, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
} from 'jsrunner:primordials';
import { defineMethods } from 'jsrunner:values';

const checkArray = (value) => {
  if (TypedArrayPrototypeGetSymbolToStringTag(value) !== 'Uint8Array') throw new TypeError('this is not a Uint8Array');
};

const checkText = (value) => {
  if (typeof value !== 'string') throw new TypeError('the first argument is not a string');
};

const optionsOf = (options) => {
  if (options === undefined) return { __proto__: null };
  if ((typeof options !== 'object' || options === null) && typeof options !== 'function') {
    throw new TypeError('options is not an object');
  }
  return options;
};

const alphabetOf = ({ alphabet }) => {
  if (alphabet === undefined) return 'base64';
  if (alphabet !== 'base64' && alphabet !== 'base64url') throw new TypeError('invalid alphabet');
  return alphabet;
};

const handlingOf = ({ lastChunkHandling }) => {
  if (lastChunkHandling === undefined) return 'loose';
  if (lastChunkHandling !== 'loose' && lastChunkHandling !== 'strict' && lastChunkHandling !== 'stop-before-partial') {
    throw new TypeError('invalid lastChunkHandling');
  }
  return lastChunkHandling;
};

/** Decode at most `limit` bytes (null: no limit). Return [characters read, Uint8Array, true if the text is valid]. */
const decode = (operation, text, limit, alphabet, handling) => {
  const result = operation === 'from_hex' ? host('uint8array.from_hex', text, limit)
    : host('uint8array.from_base64', text, limit, alphabet, handling);
  return [result[0], new Uint8Array(result[1]), result[2]];
};

const made = (encoding, result) => {
  if (!result[2]) throw new SyntaxError('invalid ' + encoding + ' text');
  return result[1];
};

const written = (encoding, array, result) => {
  const bytes = result[1];
  TypedArrayPrototypeSet(array, bytes);
  made(encoding, result);
  return { read: result[0], written: TypedArrayPrototypeGetLength(bytes) };
};

const statics = {
  fromBase64(string, options = undefined) {
    checkText(string);
    const given = optionsOf(options);
    return made('base64', decode('from_base64', string, null, alphabetOf(given), handlingOf(given)));
  },
  fromHex(string) {
    checkText(string);
    return made('hexadecimal', decode('from_hex', string, null));
  },
};

const methods = {
  setFromBase64(string, options = undefined) {
    checkArray(this);
    checkText(string);
    const given = optionsOf(options);
    const alphabet = alphabetOf(given);
    const handling = handlingOf(given);
    return written('base64', this, decode('from_base64', string, TypedArrayPrototypeGetLength(this), alphabet, handling));
  },
  setFromHex(string) {
    checkArray(this);
    checkText(string);
    return written('hexadecimal', this, decode('from_hex', string, TypedArrayPrototypeGetLength(this)));
  },
  toBase64(options = undefined) {
    checkArray(this);
    const given = optionsOf(options);
    const alphabet = alphabetOf(given);
    const omitPadding = !!given.omitPadding;
    const text = host('uint8array.to_base64', copyOf(this), alphabet, omitPadding);
    return text;
  },
  toHex() {
    checkArray(this);
    const text = host('uint8array.to_hex', copyOf(this));
    return text;
  },
};

defineMethods(Uint8Array, statics);
defineMethods(Uint8Array.prototype, methods);
