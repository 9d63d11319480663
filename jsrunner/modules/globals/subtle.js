// crypto.subtle: the part of the Web Cryptography API (https://www.w3.org/TR/WebCryptoAPI/) that k6 has, see
// https://grafana.com/docs/k6/latest/javascript-api/crypto/subtlecrypto/.
//
// As in k6, each call has two halves. The first reads the arguments, and its failures reject the promise at once. The
// second does the operation and settles the promise later. The order of checks and the texts of errors are k6's.
// @ts-check
import { isBytes } from 'jsrunner:bytes';
import { GoError, GoValue, fail } from 'jsrunner:errors';
import { promised } from 'jsrunner:loop';
import {
  ArrayFromSafe, Boolean, JSONParse, JSONStringify, ObjectDefineProperty, ObjectKeys, PromisePrototypeThen, SafeArray,
  String, TypeError, isInstance,
} from 'jsrunner:primordials';
import { asText } from 'jsrunner:values';
import { ASYMMETRIC } from 'jsrunner:webcrypto/asymmetric';
import { checkName, hasUsage, innerOf, isKey, looksLike } from 'jsrunner:webcrypto/keys';
import { SYMMETRIC } from 'jsrunner:webcrypto/symmetric';
import {
  bytesOf, failPlainly, integerOf, memberOf, needed, normalized, run, usagesOf,
} from 'jsrunner:webcrypto/values';
import { defineFixed } from 'jsrunner:globals/webcrypto';
import { rejection } from 'jsrunner:promises';

/** Algorithm -> operation -> a function of name and parameters that returns the second half of the operation. */
const ALGORITHMS = { __proto__: null, ...SYMMETRIC, ...ASYMMETRIC };

/** Call `prepare`, and return a promise of its returned function's result. Exceptions of scripts are thrown. */
const call = (prepare) => {
  let operate;
  try {
    operate = prepare();
  } catch (error) {
    if (isInstance(GoError, error)) return rejection(error.value);
    if (isInstance(GoValue, error)) return rejection(error);
    throw error;
  }
  return promised(operate);
};

const mustBeObject = (value) => {
  if (value === undefined || value === null) throw new TypeError('Cannot convert undefined or null to object');
};

const mustHaveUsage = (key, usage, who) => {
  if (!hasUsage(key, usage)) fail('InvalidAccessError', who + "key does not contain the '" + usage + "' usage");
};

// -- encryption and signatures ---------------------------------------------------------------------

const encryption = (operation) => (algorithm, key, data) => call(() => {
  const who = operation + "'s ";
  const bytes = bytesOf(data);
  const name = normalized(algorithm, operation);
  mustBeObject(key);
  checkName(key, name, who);
  const found = ALGORITHMS[name][operation];
  if (!found) fail('NotSupportedError', 'unsupported algorithm ' + name);
  if (typeof algorithm !== 'object') {
    fail('SyntaxError', 'invalid algorithm parameters, unable to interpret as "" object');
  }
  const operate = found(name, algorithm);
  mustHaveUsage(key, operation, who);
  return () => operate(key, bytes);
});

const sign = (algorithm, key, data) => call(() => {
  const bytes = bytesOf(data);
  const name = normalized(algorithm, 'sign');
  const operate = ALGORITHMS[name].sign(name, algorithm);
  mustBeObject(key);
  checkName(key, name, '');
  mustHaveUsage(key, 'sign', '');
  return () => operate(key, bytes);
});

const verify = (algorithm, key, signature, data) => call(() => {
  const signatureBytes = bytesOf(signature);
  const bytes = bytesOf(data);
  const name = normalized(algorithm, 'verify');
  const operate = ALGORITHMS[name].verify(name, algorithm);
  if (key === undefined || key === null) fail('TypeError', 'Object is null or undefined');
  checkName(key, name, '');
  mustHaveUsage(key, 'verify', '');
  return () => operate(key, signatureBytes, bytes);
});

const digest = (algorithm, data) => call(() => {
  mustBeObject(data);
  if (!isBytes(data)) failPlainly('data must be an ArrayBuffer, TypedArray, or DataView');
  const bytes = bytesOf(data);
  const name = normalized(algorithm, 'digest');
  return () => run('digest', name, bytes);
});

// -- keys ------------------------------------------------------------------------------------------

const GENERATED = 'AES-CBC, AES-CTR, AES-GCM, AES-KW, HMAC, ECDH, ECDSA, RSASSA-PKCS1-v1_5, RSA-PSS, RSA-OAEP';

const generateKey = (algorithm, extractable, keyUsages) => {
  const usages = usagesOf(keyUsages, 2);
  return call(() => {
    const name = normalized(algorithm, 'generateKey');
    const found = ALGORITHMS[name];
    if (!found) {
      fail('NotImplemented', "unsupported key generation algorithm '" + name + "', accepted values are: " + GENERATED);
    }
    const generate = found.generateKey(name, algorithm);
    return () => generate(Boolean(extractable), usages);
  });
};

/** Return a JSON Web Key after a round trip through JSON. */
const jwkOf = (data) => {
  if (isBytes(data)) return '';
  try {
    return JSONParse(JSONStringify(data) ?? 'null');
  } catch (error) {
    return fail('ImplementationError', 'invalid keyData format for JWK format: ' + error);
  }
};

const importKey = (format, data, algorithm, extractable, keyUsages) => {
  const form = asText(format);
  const usages = usagesOf(keyUsages, 4);
  return call(() => {
    const isBinary = form === 'raw' || form === 'pkcs8' || form === 'spki';
    if (!isBinary && form !== 'jwk') fail('ImplementationError', 'unsupported format ' + form);
    const content = isBinary ? bytesOf(data) : jwkOf(data);
    const name = normalized(algorithm, 'importKey');
    const read = ALGORITHMS[name].importKey(name, algorithm);
    return () => read(form, content, Boolean(extractable), usages);
  });
};

const exportKey = (format, key) => {
  const form = asText(format);
  return call(() => {
    mustBeObject(key);
    if (!isKey(key)) fail('ImplementationError', 'unable to extract CryptoKey from key object');
    const given = memberOf(key, 'algorithm');
    const name = typeof given === 'object' ? String(memberOf(given, 'name') ?? '') : '';
    const found = ALGORITHMS[name];
    if (!found) fail('NotSupportedError', 'unsupported algorithm ' + name);
    if (!key.extractable) fail('InvalidAccessError', 'the key is not extractable');
    if (!found.exportKey) fail('NotSupportedError', 'unsupported algorithm ' + name);
    const inner = innerOf(key);
    if (found.family !== inner.family) fail('OperationError', 'key data is not accessible');
    const write = found.exportKey(name);
    return () => write(form, key);
  });
};

// -- derivation ------------------------------------------------------------------------------------

const deriveBits = (algorithm, key, length) => call(() => {
  const name = normalized(algorithm, 'deriveBits');
  const found = ALGORITHMS[name]?.deriveBits;
  if (!found) fail('NotSupportedError', 'unsupported algorithm for derive bits: ' + name);
  const derive = found(name, algorithm);
  if (typeof key !== 'object' || key === null) looksLike(key);
  const bits = integerOf(length);
  return () => {
    if (bits === 0) fail('OperationError', 'length can not be 0');
    if (bits % 8) fail('OperationError', 'currently only multiples of 8 are supported for length');
    return derive(key, bits);
  };
});

const deriveKey = (algorithm, key, derivedKeyType, extractable, keyUsages) => {
  const usages = usagesOf(keyUsages, 4);
  return call(() => {
    const name = normalized(algorithm, 'deriveKey');
    const derived = normalized(derivedKeyType, 'importKey');
    normalized(derivedKeyType, 'getKeyLength');
    const found = ALGORITHMS[name]?.deriveKey;
    if (!found) failPlainly('key derivation not implemented for algorithm ' + name);
    const derive = found(name, algorithm);
    const read = ALGORITHMS[derived].importKey(derived, derivedKeyType);
    const bits = integerOf(needed(derivedKeyType, 'length', 'OperationError', 'aes length parameter not specified'));
    if (typeof key !== 'object' || key === null) looksLike(key);
    return () => PromisePrototypeThen(derive(key, bits), (bytes) => read('raw', bytes, Boolean(extractable), usages));
  });
};

// -- the object for scripts ------------------------------------------------------------------------------

/** Return a function that only throws, as in k6. `length` is the number of its parameters. */
const notImplemented = (length) => ObjectDefineProperty(() => {
  throw new GoError('not implemented');
}, 'length', { __proto__: null, value: length, configurable: true });

const members = {
  __proto__: null,
  decrypt: encryption('decrypt'),
  deriveBits,
  deriveKey,
  digest,
  encrypt: encryption('encrypt'),
  exportKey,
  generateKey,
  importKey,
  sign,
  unwrapKey: notImplemented(7),
  verify,
  wrapKey: notImplemented(4),
};
export const subtle = {};
for (let i = 0, names = ObjectKeys(members); i < names.length; i += 1) defineFixed(subtle, names[i], members[names[i]]);

/** As in k6, CryptoKey is an empty key and not a constructor. */
export const CryptoKey = { type: '', extractable: false, algorithm: null, usages: ArrayFromSafe(SafeArray()) };
