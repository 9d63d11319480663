// jsrunner:webcrypto/symmetric — AES, HMAC and PBKDF2.
// @ts-check
import { copyOf } from 'jsrunner:bytes';
import { fail } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import { MathFloor } from 'jsrunner:more_primordials';
import {
  ArrayBuffer, ArrayBufferPrototypeGetByteLength, ArrayPrototypeIncludes, MathMax,
  StringPrototypeSlice, Uint8Array, isInstance,
} from 'jsrunner:primordials';
import { NO_USAGES, checkUsages, hasUsage, innerOf, looksLike, newKey } from 'jsrunner:webcrypto/keys';
import {
  HASHES, failPlainly, hashOf, integerOf, memberBytes, memberOf, needed, run, runAside,
} from 'jsrunner:webcrypto/values';

const sizeOf = ArrayBufferPrototypeGetByteLength;

/** Maximum bytes of a result. More would exhaust the memory. */
const MOST_BYTES = 2 ** 28;

/** Return the bytes of a secret key. */
const secretOf = (key, name = 'ImplementationError', text = 'could not get key handle') => {
  const inner = innerOf(key);
  return inner?.family === 'oct' ? inner.material : fail(name, text);
};

const finished = (key, usages) => (usages.length ? key : fail('SyntaxError', NO_USAGES));

const secretJwk = (key, alg) => ({
  kty: 'oct', k: run('to_base64url', innerOf(key).material), alg, ext: key.extractable, key_ops: key.usages,
});

const secretOfJwk = (data) => run('symmetric_jwk', data);

const exported = (format, key, alg) => {
  if (format === 'raw') return copyOf(innerOf(key).material);
  if (format === 'jwk') return secretJwk(key, alg);
  return fail('NotSupportedError', 'unsupported key format ' + format);
};

// -- AES -------------------------------------------------------------------------------------------

const AES_LENGTHS = [128, 192, 256];
const ENCRYPTION = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];
const BLOCK = 16;

const aesKey = (name, material, extractable, usages) => newKey('secret', extractable,
  { name, length: sizeOf(material) * 8 }, usages, { material, family: 'oct' });

const aes = {
  family: 'oct',
  generateKey(name, parameters) {
    const length = integerOf(needed(parameters, 'length'));
    return (extractable, usages) => {
      checkUsages(usages, name === 'AES-KW' ? ['wrapKey', 'unwrapKey'] : ENCRYPTION, false);
      if (!ArrayPrototypeIncludes(AES_LENGTHS, length)) fail('OperationError', 'invalid key length');
      return finished(aesKey(name, run('random', length / 8), extractable, usages), usages);
    };
  },
  importKey: (name) => (format, data, extractable, usages) => {
    checkUsages(usages, ENCRYPTION);
    if (format !== 'raw' && format !== 'jwk') fail('NotSupportedError', 'unsupported key format ' + format);
    const bytes = format === 'jwk' ? secretOfJwk(data) : data;
    if (!ArrayPrototypeIncludes(AES_LENGTHS, sizeOf(bytes) * 8)) {
      fail('DataError', 'invalid key length ' + sizeOf(bytes) + ' bytes');
    }
    return finished(aesKey(name, bytes, extractable, usages), usages);
  },
  exportKey: (name) => (format, key) => exported(format, key,
    'A' + (sizeOf(innerOf(key).material) * 8) + StringPrototypeSlice(name, 4)),
};

const cbc = (encrypts) => (name, parameters) => {
  const iv = memberBytes(memberOf(parameters, 'iv'));
  return (key, data) => {
    if (sizeOf(iv) !== BLOCK) {
      fail('OperationError', encrypts ? 'iv length is not 16 bytes' : 'iv length is invalid, should be 16 bytes');
    }
    if (encrypts && sizeOf(data) === 0) fail('OperationError', 'could not pad plaintext');
    return run('cbc', encrypts, secretOf(key), iv, data);
  };
};

const ctr = (encrypts) => (name, parameters) => {
  const counter = memberBytes(memberOf(parameters, 'counter'));
  const length = integerOf(memberOf(parameters, 'length'));
  return (key, data) => {
    if (sizeOf(counter) !== BLOCK) {
      fail('OperationError', encrypts
        ? 'counter length is not 16 bytes' : 'counter length is invalid, should be 16 bytes');
    }
    if (length <= 0 || length > 128) {
      fail('OperationError', encrypts
        ? 'invalid counter length, out of the 0 < x < 128 bounds'
        : 'invalid length, should be within 1 <= length <= 128 bounds');
    }
    return run('ctr', secretOf(key), counter, data);
  };
};

const TAG_LENGTHS = [96, 104, 112, 120, 128];
const SHORT_TAGS = [32, 64];
const IV_BYTES = 12;

/** Throw k6's error if its library has no tag of this many bits. */
const checkTag = (encrypts, bits) => {
  if (ArrayPrototypeIncludes(TAG_LENGTHS, bits)) return;
  if (encrypts && ArrayPrototypeIncludes(SHORT_TAGS, bits)) {
    fail('NotSupportedError', 'tag length 32 and 64 are not supported');
  }
  if (encrypts) fail('OperationError', 'invalid tag length, should be one of 96, 104, 112, 120, 128');
  fail('OperationError', ArrayPrototypeIncludes(SHORT_TAGS, bits)
    ? 'invalid tag length, should be within 96 <= length <= 128 bounds'
    : 'invalid tag length, accepted values are 96, 104, 112, 120, 128');
};

const gcm = (encrypts) => (name, parameters) => {
  const iv = memberBytes(memberOf(parameters, 'iv'));
  const extra = memberBytes(memberOf(parameters, 'additionalData'));
  const bits = integerOf(memberOf(parameters, 'tagLength')) || 128;
  return (key, data) => {
    if (encrypts && sizeOf(iv) !== IV_BYTES) fail('NotSupportedError', 'only 12 bytes long iv are supported');
    checkTag(encrypts, bits);
    if (!encrypts) {
      if (sizeOf(data) * 8 < bits) fail('OperationError', 'ciphertext is too short');
      if (sizeOf(iv) === 0) fail('OperationError', 'iv length is too long');
      if (sizeOf(iv) !== IV_BYTES) fail('OperationError', 'could not decrypt ciphertext');
    }
    const secret = encrypts
      ? secretOf(key, 'ImplementationError', 'could not get key data')
      : secretOf(key, 'OperationError', 'invalid key handle');
    return run('gcm', encrypts, secret, iv, extra, bits / 8, data);
  };
};

// -- HMAC ------------------------------------------------------------------------------------------

const SIGNING = ['sign', 'verify'];

const hmacKey = (hash, length, material, extractable, usages) => newKey('secret', extractable,
  { name: 'HMAC', hash: { name: hash }, length }, usages, { material, family: 'oct', hash });

const hmacLength = (parameters) => {
  const length = memberOf(parameters, 'length');
  return length === undefined ? undefined : integerOf(length);
};

const signature = (key, data) => {
  const inner = innerOf(key);
  if (!inner || inner.hash === undefined) fail('InvalidAccessError', 'key algorithm does not describe a HMAC key');
  return run('hmac', inner.hash, secretOf(key, 'InvalidAccessError', 'key handle is of incorrect type'), data);
};

const hmac = {
  family: 'oct',
  generateKey(name, parameters) {
    const hash = hashOf(parameters);
    const given = hmacLength(parameters);
    return (extractable, usages) => {
      checkUsages(usages, SIGNING);
      const length = given ?? HASHES[hash] ?? fail('ImplementationError', 'invalid hash algorithm: ' + hash);
      if (length === 0) fail('OperationError', "algorithm's length cannot be 0");
      const bytes = MathFloor(length / 8);
      if (bytes < 0 || bytes > MOST_BYTES) fail('OperationError', 'invalid key length: ' + length);
      return finished(hmacKey(hash, length, run('random', bytes), extractable, usages), usages);
    };
  },
  importKey(name, parameters) {
    const hash = hashOf(parameters);
    const given = hmacLength(parameters);
    return (format, data, extractable, usages) => {
      checkUsages(usages, SIGNING);
      if (format !== 'raw' && format !== 'jwk') fail('NotSupportedError', 'unsupported key format ' + format);
      const bytes = format === 'jwk' ? secretOfJwk(data) : data;
      const length = sizeOf(bytes) * 8;
      if (length === 0) fail('DataError', 'key length cannot be 0');
      if (given !== undefined && given !== length) {
        fail('DataError', 'key length cannot be different from the length of the imported data');
      }
      return finished(hmacKey(hash, length, bytes, extractable, usages), usages);
    };
  },
  exportKey: () => (format, key) => exported(format, key, 'HS' + StringPrototypeSlice(innerOf(key).hash, 4)),
  sign: () => signature,
  verify: () => (key, given, data) => run('same', signature(key, data), given),
};

// -- PBKDF2 ----------------------------------------------------------------------------------------

const DERIVATION = ['deriveBits', 'deriveKey'];

/** Return the secret of a key after a check that the key allows `usage`. */
const baseSecret = (key, usage) => {
  const inner = looksLike(key);
  if (inner.type !== 'secret') fail('InvalidAccessError', "algorithm's password key is not a secret key");
  if (!hasUsage(key, usage)) {
    fail('InvalidAccessError', "provided baseKey doesn't contain `" + usage + '` usage');
  }
  if (inner.family !== 'oct') fail('InvalidAccessError', 'provided baseKey is not a valid PBKDF2 Crypto Key');
  if (!inner.isPassword) fail('OperationError', 'provided baseKey is not a valid algorithm');
  return inner.material;
};

/** Return the bytes of a text or of a buffer. */
const textOrBytes = (value) => {
  const isKnown = typeof value === 'string' || isInstance(ArrayBuffer, value) || isInstance(Uint8Array, value);
  return isKnown
    ? memberBytes(value) : failPlainly('invalid type ' + goType(value) + ', expected string, []byte or ArrayBuffer');
};

/** Return a function (key, usage, number of bytes) that returns a promise of derived bytes. */
const derivation = (parameters) => {
  const hash = hashOf(parameters, 'deriveBits');
  const iterations = integerOf(needed(parameters, 'iterations', 'TypeError', 'field iterations is null or undefined'));
  if (iterations === 0) fail('OperationError', "number of iterations can't be 0");
  const salt = textOrBytes(needed(parameters, 'salt', 'TypeError', 'field salt is null or undefined'));
  return (secret, size) => {
    if (HASHES[hash] === undefined) fail('NotSupportedError', 'hash function not supported');
    if (size < 1) failPlainly('pkbdf2: keyLength must be larger than 0');
    if (size > MOST_BYTES || iterations > 2 ** 31 - 1) failPlainly('pkbdf2: keyLength too long');
    return runAside('pbkdf2', hash, secret, salt, MathMax(iterations, 1), size);
  };
};

const pbkdf2 = {
  family: 'oct',
  importKey: () => (format, data, extractable, usages) => {
    if (format !== 'raw') fail('NotSupportedError', 'invalid format: ' + format);
    checkUsages(usages, DERIVATION);
    if (extractable) fail('SyntaxError', 'invalid value for param extractable ');
    return finished(newKey('secret', false, { name: 'PBKDF2' }, usages,
      { material: data, family: 'oct', isPassword: true }), usages);
  },
  deriveBits(name, parameters) {
    const derive = derivation(parameters);
    return (key, bits) => derive(baseSecret(key, 'deriveBits'), bits / 8);
  },
  deriveKey(name, parameters) {
    const derive = derivation(parameters);
    return (key, bits) => {
      const secret = baseSecret(key, 'deriveKey');
      if (bits % 8) fail('InvalidAccessError', 'provided length of key must be a multiple of 8');
      return derive(secret, bits / 8);
    };
  },
};

export const SYMMETRIC = {
  'AES-CBC': { ...aes, encrypt: cbc(true), decrypt: cbc(false) },
  'AES-CTR': { ...aes, encrypt: ctr(true), decrypt: ctr(false) },
  'AES-GCM': { ...aes, encrypt: gcm(true), decrypt: gcm(false) },
  'AES-KW': { ...aes, exportKey: undefined },
  HMAC: hmac,
  PBKDF2: pbkdf2,
};
