// jsrunner:webcrypto/keys — keys of crypto.subtle: the objects for scripts, and the material behind them.
// @ts-check
import { fail } from 'jsrunner:errors';
import {
  ArrayFromSafe, ArrayIsArray, ArrayPrototypeFind, ArrayPrototypeIncludes, ArrayPrototypePush, Object,
  ObjectDefineProperty, ObjectPreventExtensions, SafeArray, SafeWeakMap, String,
} from 'jsrunner:primordials';
import { isNullish, isObject } from 'jsrunner:values';
import { failPlainly } from 'jsrunner:webcrypto/values';

/** Key -> { material, type, family, hash }: a script can change what it sees, and none of this. */
const slots = new SafeWeakMap();

/** Return the hidden fields of a key; undefined for an object that merely looks like a key. */
export const innerOf = (key) => (isObject(key) ? slots.get(key) : undefined);

/** Return whether a value is a key that this module has made. */
export const isKey = (value) => innerOf(value) !== undefined;

const setField = (key, name, value) => ObjectDefineProperty(key, name, {
  __proto__: null, value, writable: true, enumerable: true, configurable: false,
});

/**
 * A key. `material` is an ArrayBuffer (see subtle.py), `family` says what of: oct, EC, RSA.
 */
export const newKey = (type, extractable, algorithm, usages, inner) => {
  const key = {};
  setField(key, 'type', type);
  setField(key, 'extractable', extractable);
  setField(key, 'algorithm', algorithm);
  setField(key, 'usages', usages);
  slots.set(key, { __proto__: null, type, ...inner });
  return ObjectPreventExtensions(key);
};

/** Return the first usages that are among the second, each once. */
const common = (some, others) => {
  const found = SafeArray();
  for (let i = 0; i < some.length; i += 1) {
    const usage = some[i];
    const isCommon = ArrayPrototypeIncludes(others, usage);
    if (isCommon && !ArrayPrototypeIncludes(found, usage)) ArrayPrototypePush(found, usage);
  }
  return ArrayFromSafe(found);
};

/** Return a pair of keys from two handles of their material; each takes of the usages those that are its own. */
export const keyPair = (algorithm, extractable, usages, own, inner, pair) => ({
  privateKey: newKey('private', extractable, { ...algorithm }, common(usages, own.private),
    { ...inner, material: pair[0] }),
  publicKey: newKey('public', true, { ...algorithm }, common(usages, own.public),
    { ...inner, material: pair[1] }),
});

/** Fails unless each usage is one of `allowed`. */
export const checkUsages = (usages, allowed, names = true) => {
  const wrong = ArrayPrototypeFind(usages, (usage) => !ArrayPrototypeIncludes(allowed, usage));
  if (wrong !== undefined) fail('SyntaxError', names ? 'invalid key usage: ' + wrong : 'invalid key usage');
};

export const NO_USAGES = 'usages cannot not be empty for a secret or private CryptoKey';

/** Return the name of a key's algorithm, as a script can see and set it. */
const nameOf = (key) => {
  const { algorithm } = key;
  if (isNullish(algorithm)) fail('TypeError', 'field algorithm is null or undefined');
  const { name } = Object(algorithm);
  if (isNullish(name)) fail('TypeError', 'field algorithm.name is null or undefined');
  return String(name);
};

export const hasUsage = (key, usage) => ArrayIsArray(key.usages) && ArrayPrototypeIncludes(key.usages, usage);

/** Fails unless `key` looks like a key of the algorithm. `who` begins the errors' texts. */
export const checkName = (key, name, who) => {
  if (!isObject(key) && typeof key !== 'function') {
    fail('InvalidAccessError', who + 'key argument does hold not a valid CryptoKey object');
  }
  if (nameOf(key) !== name) fail('InvalidAccessError', who + 'algorithm name does not match key algorithm name');
};

/** Return the hidden fields of a key, or the own fields of an object that looks like a key. */
export const looksLike = (key) => {
  if (!isObject(key)) return failPlainly('could not convert ' + String(key) + ' to webcrypto.CryptoKey');
  const inner = innerOf(key);
  const type = inner ? inner.type : key.type;
  if (type !== 'private' && type !== 'public' && type !== 'secret') failPlainly('invalid key type');
  return inner ?? { __proto__: null, type };
};
