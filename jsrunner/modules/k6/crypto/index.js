// k6/crypto: https://grafana.com/docs/k6/latest/javascript-api/k6-crypto/
// @ts-check
import { bytesArgument } from 'jsrunner:bytes';
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import { FinalizationRegistry, FinalizationRegistryPrototypeRegister } from 'jsrunner:more_primordials';
import { ArrayBuffer, ArrayPrototypeIncludes, MathTrunc } from 'jsrunner:primordials';
import { asText } from 'jsrunner:values';

const ENCODINGS = ['base64', 'base64url', 'base64rawurl', 'hex', 'binary'];

/** MOST: the first number beyond Go's int64. MUCH: bytes from which on the memory limit is checked first. */
const MOST = 2 ** 63;
const MUCH = 1 << 20;

const checkEncoding = (encoding) => {
  const name = asText(encoding);
  if (!ArrayPrototypeIncludes(ENCODINGS, name)) throw new GoError('invalid output encoding: ' + name);
  return name;
};

const ALGORITHMS = [
  'md4', 'md5', 'ripemd160', 'sha1', 'sha256', 'sha384', 'sha512', 'sha512_224', 'sha512_256',
];
const checkAlgorithm = (algorithm) => {
  const name = asText(algorithm);
  if (!ArrayPrototypeIncludes(ALGORITHMS, name)) throw new GoError('invalid algorithm: ' + name);
  return name;
};

const hashers = new FinalizationRegistry((handle) => host('crypto.drop', handle));

/** Return a hash, or with a key an HMAC, that can be updated. `digest` may be called at any time. */
const hasher = (algorithm, key) => {
  const held = { __proto__: null, handle: host('crypto.begin', algorithm, key) };
  FinalizationRegistryPrototypeRegister(hashers, held, held.handle);
  return {
    update: (input) => {
      host('crypto.update', held.handle, bytesArgument(input, 'invalid type'));
    },
    digest: (encoding) => {
      const name = checkEncoding(encoding);
      return host('crypto.digest', held.handle, name);
    },
  };
};

const oneShot = (algorithm) => (input, encoding) => {
  const data = bytesArgument(input, algorithm + ' failed: invalid type');
  return host('crypto.hash', algorithm, data, checkEncoding(encoding));
};

export const md4 = oneShot('md4');
export const md5 = oneShot('md5');
export const ripemd160 = oneShot('ripemd160');
export const sha1 = oneShot('sha1');
export const sha256 = oneShot('sha256');
export const sha384 = oneShot('sha384');
export const sha512 = oneShot('sha512');
export const sha512_224 = oneShot('sha512_224');
export const sha512_256 = oneShot('sha512_256');

export const createHash = (algorithm) => hasher(checkAlgorithm(algorithm), null);
export const createHMAC = (algorithm, secret) => hasher(checkAlgorithm(algorithm), bytesArgument(secret, 'invalid type'));

export function hmac(algorithm, secret, data, encoding) {
  const name = checkAlgorithm(algorithm);
  const key = bytesArgument(secret, 'invalid type');
  const bytes = bytesArgument(data, 'invalid type');
  return host('crypto.hmac', name, key, bytes, checkEncoding(encoding));
}

export function hexEncode(data) {
  return host('crypto.hex', bytesArgument(data, 'invalid type'));
}

export function randomBytes(size) {
  const count = MathTrunc(size) || 0;
  if (count < 1 || count >= MOST) throw new GoError('invalid size');
  if (count > MUCH) void new ArrayBuffer(count); // throws if there is no room
  return host('crypto.random', count);
}

export default {
  createHash, createHMAC, hexEncode, hmac, md4, md5, randomBytes, ripemd160, sha1, sha256, sha384, sha512,
  sha512_224, sha512_256,
};
