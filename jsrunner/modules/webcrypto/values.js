// jsrunner:webcrypto/values — converts arguments of crypto.subtle as k6 does: bytes, numbers, names of algorithms.
// @ts-check
import { TypedArrayPrototypeGetBuffer, copyOf, isBytes } from 'jsrunner:bytes';
import { GoValue, fail } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import { aside } from 'jsrunner:loop';
import {
  ArrayBuffer, ArrayBufferIsView, ArrayFromSafe, ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypePush, DataView,
  MathTrunc, Number, NumberIsFinite, Object, ReflectApply, SafeArray, String, StringPrototypeToUpperCase,
  SymbolIterator, SymbolPrototypeGetDescription, TypeError, Uint8Array, isInstance,
} from 'jsrunner:primordials';
import { asText, isNullish } from 'jsrunner:values';

export const NOTHING = new ArrayBuffer(0);

/** Throw an error of Go that has no name. */
export const failPlainly = (text) => {
  throw new GoValue(text);
};

/** Return a copy of a buffer. For a typed array this is its whole buffer, as in k6, even if the array shows a part. */
export const bytesOf = (value) => {
  if (isNullish(value)) fail('TypeError', 'data is null or undefined');
  const isTypedArray = ArrayBufferIsView(value) && !isInstance(DataView, value);
  const buffer = isTypedArray ? TypedArrayPrototypeGetBuffer(value) : value;
  if (!isInstance(ArrayBuffer, buffer)) {
    fail('OperationError', 'data is neither an ArrayBuffer, nor a TypedArray nor DataView');
  }
  return copyOf(buffer);
};

/** Return the bytes of an algorithm's member, which may be a buffer, a text or a list of numbers. */
export const memberBytes = (value) => {
  if (isNullish(value)) return NOTHING;
  if (isBytes(value)) return copyOf(value);
  if (typeof value === 'string') return run('encode', value);
  if (ArrayIsArray(value)) {
    const bytes = new Uint8Array(value.length);
    for (let i = 0; i < value.length; i += 1) bytes[i] = integerOf(value[i]);
    return TypedArrayPrototypeGetBuffer(bytes);
  }
  return fail('SyntaxError', 'invalid algorithm parameters, unable to interpret as "" object');
};

/** Convert a value to an integer, to 0 if it is no number. */
export const integerOf = (value) => {
  const number = MathTrunc(Number(value));
  return NumberIsFinite(number) ? number : 0;
};

/** Return a member of the algorithm, undefined if it is missing. */
export const memberOf = (parameters, name) => {
  const value = isNullish(parameters) ? undefined : Object(parameters)[name];
  return value === null ? undefined : value;
};

/** Return a member of the algorithm. Throws if it is missing. */
export const needed = (parameters, name, error = 'SyntaxError', text = undefined) => {
  const value = memberOf(parameters, name);
  return value === undefined ? fail(error, text ?? 'could not get ' + name + ' from algorithm parameter') : value;
};

// -- names of algorithms ---------------------------------------------------------------------------

/** Name of a hash -> size of its blocks in bits. */
export const HASHES = {
  __proto__: null, 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024,
};
export const isHash = (name) => HASHES[name] !== undefined;

const AES = ['AES-CBC', 'AES-CTR', 'AES-GCM', 'AES-KW'];
const DIGESTS = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
const PKCS1 = 'RSASSA-PKCS1-v1_5';
const SIGNATURES = ['HMAC', 'ECDSA', 'RSA-PSS', PKCS1];

/** Return the concatenation of some lists. */
const join = (...lists) => {
  const all = SafeArray();
  for (let i = 0; i < lists.length; i += 1) {
    for (let j = 0; j < lists[i].length; j += 1) ArrayPrototypePush(all, lists[i][j]);
  }
  return all;
};

const KEYS = join(AES, SIGNATURES, ['ECDH', 'RSA-OAEP']);

/** Operation -> names of algorithms that k6 accepts for it; not all of them are implemented. */
const KNOWN = {
  __proto__: null,
  digest: DIGESTS,
  generateKey: join(KEYS, DIGESTS),
  importKey: join(KEYS, ['PBKDF2']),
  encrypt: join(AES, ['RSA-OAEP']),
  decrypt: join(AES, ['RSA-OAEP']),
  sign: SIGNATURES,
  verify: SIGNATURES,
  deriveBits: join(DIGESTS, ['PBKDF2', 'ECDH']),
  deriveKey: join(DIGESTS, ['PBKDF2']),
  getKeyLength: AES,
};

const nameOf = (algorithm) => {
  if (typeof algorithm === 'string') return algorithm;
  if (typeof algorithm === 'symbol') return SymbolPrototypeGetDescription(algorithm) ?? '';
  if (isNullish(algorithm) || (typeof algorithm !== 'object' && typeof algorithm !== 'function')) {
    return fail('SyntaxError', 'algorithm cannot be interpreted as a string or an object');
  }
  const { name } = algorithm;
  return isNullish(name) ? '' : String(name);
};

/** Return the name of an algorithm that the operation knows. */
export const normalized = (algorithm, operation) => {
  const name = StringPrototypeToUpperCase(nameOf(algorithm));
  const found = name === 'RSASSA-PKCS1-V1_5' ? PKCS1 : name;
  if (!ArrayPrototypeIncludes(KNOWN[operation], found)) {
    fail('NotSupportedError', 'algorithm "' + found + '" '
      + 'doesn\'t support (in implementation) operation "' + operation + '"');
  }
  return found;
};

/** Return the name of the hash in an algorithm's parameters. */
export const hashOf = (parameters, operation = 'generateKey') => normalized(needed(parameters, 'hash'), operation);

// -- arguments that k6's functions convert first ---------------------------------------------------

/** Return the usages of a key as texts. `index` is the position of the argument. */
export const usagesOf = (usages, index) => {
  const found = SafeArray();
  const refuse = (text) => {
    throw new TypeError('could not convert function call parameter ' + index + ': ' + text);
  };
  if (isNullish(usages)) return ArrayFromSafe(found);
  if (typeof usages !== 'object' && typeof usages !== 'function') {
    refuse('could not convert ' + String(usages) + ' to []string');
  }
  if (ArrayIsArray(usages)) {
    for (let i = 0; i < usages.length; i += 1) ArrayPrototypePush(found, asText(usages[i]));
  } else if (typeof usages[SymbolIterator] === 'function') {
    const items = usages[SymbolIterator]();
    for (let item = items.next(); !item.done; item = items.next()) ArrayPrototypePush(found, asText(item.value));
  } else {
    refuse('cannot convert ' + String(usages) + ' to []string: not an array or iterable');
  }
  return ArrayFromSafe(found);
};

// -- calls of the Python half ----------------------------------------------------------------------

const call = (send, op, args) => {
  const values = SafeArray('subtle.' + op);
  for (let i = 0; i < args.length; i += 1) ArrayPrototypePush(values, args[i]);
  return ReflectApply(send, undefined, values);
};
export const run = (op, ...args) => call(host, op, args);
export const runAside = (op, ...args) => call(aside, op, args);
