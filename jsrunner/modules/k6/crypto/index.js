// k6/crypto: https://grafana.com/docs/k6/latest/javascript-api/k6-crypto/
// @ts-check
import { packInput } from 'jsrunner:bytes';
import { GoError } from 'jsrunner:errors';
import { host, release, unpack } from 'jsrunner:host';
import { ArrayPrototypeIncludes, MathTrunc, Number } from 'jsrunner:primordials';
import { asText } from 'jsrunner:values';

const ENCODINGS = ['base64', 'base64url', 'base64rawurl', 'hex', 'binary'];

const result = (encoding, value) => {
  release();
  return encoding === 'binary' ? unpack(value) : value;
};

const checkEncoding = (encoding) => {
  const name = asText(encoding);
  if (!ArrayPrototypeIncludes(ENCODINGS, name)) throw new GoError('invalid output encoding: ' + name);
  return name;
};

/** A hash, or with a key an HMAC, that grows; `digest` may be asked for at any time. */
class Hasher {
  #handle;
  constructor(algorithm, key) {
    this.#handle = host('crypto.begin', asText(algorithm), key);
    release();
  }
  update(input) {
    host('crypto.update', this.#handle, packInput(input, 'invalid type'));
    release();
  }
  digest(encoding) {
    const name = checkEncoding(encoding);
    return result(name, host('crypto.digest', this.#handle, name));
  }
}

const oneShot = (algorithm) => (input, encoding) => {
  const packed = packInput(input, algorithm + ' failed: invalid type');
  const name = checkEncoding(encoding);
  return result(name, host('crypto.hash', algorithm, packed, name));
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

export const createHash = (algorithm) => new Hasher(algorithm, null);
export const createHMAC = (algorithm, secret) => new Hasher(algorithm, packInput(secret, 'invalid type'));

export function hmac(algorithm, secret, data, encoding) {
  const hasher = createHMAC(algorithm, secret);
  hasher.update(data);
  return hasher.digest(encoding);
}

export function hexEncode(data) {
  const hex = host('crypto.hex', packInput(data, 'invalid type'));
  release();
  return hex;
}

export function randomBytes(size) {
  const count = MathTrunc(Number(size)) || 0;
  if (count < 1) throw new GoError('invalid size');
  return unpack(host('crypto.random', count));
}

export default {
  createHash, createHMAC, hexEncode, hmac, md4, md5, randomBytes, ripemd160, sha1, sha256, sha384, sha512,
  sha512_224, sha512_256,
};
