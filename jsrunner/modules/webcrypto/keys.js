// jsrunner:webcrypto/keys — keys of crypto.subtle: the objects for scripts, and the material behind them.
// @ts-check
import { fail } from 'jsrunner:errors';
import {
  ArrayFromSafe, ArrayIsArray, ArrayPrototypeFind, ArrayPrototypeIncludes, ArrayPrototypePush, Object,
  ObjectDefineProperty, ObjectPreventExtensions, SafeArray, SafeWeakMap, String,
} from 'jsrunner:primordials';
import { isNullish, isObject } from 'jsrunner:values';
import { failPlainly } from 'jsrunner:webcrypto/values';

/** Key -> { material, type, family, hash }. A script can change the key object, but not these fields. */
const slots = new SafeWeakMap();

/** Return the hidden fields of a key; undefined for a key-like object. */
export const innerOf = (key) => (isObject(key) ? slots.get(key) : undefined);

/** Return true if a value is a key made by this module. */
export const isKey = (value) => innerOf(value) !== undefined;

const setField = (key, name, value) => ObjectDefineProperty(key, name, {
  __proto__: null, value, writable: true, enumerable: true, configurable: false,
});

/**
 * Return a key. `inner.material` is an ArrayBuffer (see subtle.py), `inner.family` its kind: oct, EC or RSA.
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

/** Return the intersection of two lists of usages, in the order of the first. */
const common = (some, others) => {
  const found = SafeArray();
  for (let i = 0; i < some.length; i += 1) {
    const usage = some[i];
    const isCommon = ArrayPrototypeIncludes(others, usage);
    if (isCommon && !ArrayPrototypeIncludes(found, usage)) ArrayPrototypePush(found, usage);
  }
  return ArrayFromSafe(found);
};

/** Return a pair of keys from the handles of their material. Each key gets those of the usages that suit it. */
export const keyPair = (algorithm, extractable, usages, own, inner, pair) => ({
  privateKey: newKey('private', extractable, { ...algorithm }, common(usages, own.private),
    { ...inner, material: pair[0] }),
  publicKey: newKey('public', true, { ...algorithm }, common(usages, own.public),
    { ...inner, material: pair[1] }),
});

/** Throw unless each usage is one of `allowed`. */
export const checkUsages = (usages, allowed, names = true) => {
  const wrong = ArrayPrototypeFind(usages, (usage) => !ArrayPrototypeIncludes(allowed, usage));
  if (wrong !== undefined) fail('SyntaxError', names ? 'invalid key usage: ' + wrong : 'invalid key usage');
};

export const NO_USAGES = 'usages cannot not be empty for a secret or private CryptoKey';

/** Return the name of a key's algorithm, which a script can set. */
const nameOf = (key) => {
  const { algorithm } = key;
  if (isNullish(algorithm)) fail('TypeError', 'field algorithm is null or undefined');
  const { name } = Object(algorithm);
  if (isNullish(name)) fail('TypeError', 'field algorithm.name is null or undefined');
  return String(name);
};

export const hasUsage = (key, usage) => ArrayIsArray(key.usages) && ArrayPrototypeIncludes(key.usages, usage);

/** Throw unless `key` looks like a key of the algorithm. `who` begins the error's text. */
export const checkName = (key, name, who) => {
  if (!isObject(key) && typeof key !== 'function') {
    fail('InvalidAccessError', who + 'key argument does hold not a valid CryptoKey object');
  }
  if (nameOf(key) !== name) fail('InvalidAccessError', who + 'algorithm name does not match key algorithm name');
};

/** Return the hidden fields of a key, or the own fields of a key-like object. */
export const looksLike = (key) => {
  if (!isObject(key)) return failPlainly('could not convert ' + String(key) + ' to webcrypto.CryptoKey');
  const inner = innerOf(key);
  const type = inner ? inner.type : key.type;
  if (type !== 'private' && type !== 'public' && type !== 'secret') failPlainly('invalid key type');
  return inner ?? { __proto__: null, type };
};
