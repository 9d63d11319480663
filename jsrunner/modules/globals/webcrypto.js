// crypto: the Web Cryptography API (https://www.w3.org/TR/WebCryptoAPI/) as far as k6 has it, see
// https://grafana.com/docs/k6/latest/javascript-api/crypto/.
// @ts-check
import { fail } from 'jsrunner:errors';
import { host, unpack } from 'jsrunner:host';
import { later } from 'jsrunner:globals/environment';

const INTEGERS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
/** getRandomValues gives no more bytes at once. */
const QUOTA = 65536;

export const crypto = {
  getRandomValues(array) {
    if (!INTEGERS.some((Kind) => array instanceof Kind)) {
      fail('TypeMismatchError', 'the argument is no array of integers');
    }
    if (array.byteLength > QUOTA) fail('QuotaExceededError', 'the array has more than ' + QUOTA + ' bytes');
    const values = new Uint8Array(unpack(host('webcrypto.random', array.byteLength)));
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(values);
    return array;
  },
  randomUUID: () => host('webcrypto.uuid'),
};
later(crypto, 'subtle', ['CryptoKey', 'subtle'], true);

Object.defineProperty(globalThis, 'crypto', { value: crypto, writable: true, configurable: true });
