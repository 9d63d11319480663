// crypto: the Web Cryptography API (https://www.w3.org/TR/WebCryptoAPI/) as far as k6 has it, see
// https://grafana.com/docs/k6/latest/javascript-api/crypto/.
// @ts-check
import { fail } from 'jsrunner:errors';
import { host, unpack } from 'jsrunner:host';
import { later } from 'jsrunner:globals/environment';
import { TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSet, viewOf } from 'jsrunner:bytes';
import {
  ArrayBufferIsView, ArrayPrototypeIncludes, Object, ObjectDefineProperty, TypeError, TypedArrayPrototypeGetLength,
  Uint8Array, globalThis,
} from 'jsrunner:primordials';
import { isNullish } from 'jsrunner:values';

const {
  Int8Array, Int16Array, Int32Array, Uint16Array, Uint32Array, Uint8ClampedArray,
} = globalThis;

const INTEGERS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
/** getRandomValues fills no more elements at once. */
const QUOTA = 65536;

/** Define a member that cannot be changed. */
export const defineFixed = (object, name, value) => ObjectDefineProperty(object, name, {
  __proto__: null, value, enumerable: true, writable: false, configurable: false,
});

export const crypto = {};
defineFixed(crypto, 'getRandomValues', (array) => {
  if (isNullish(array)) throw new TypeError('Cannot convert undefined or null to object');
  // As in k6 it is the constructor that counts: an instance of a class of the script's own is none.
  if (!ArrayPrototypeIncludes(INTEGERS, Object(array).constructor) || !ArrayBufferIsView(array)) {
    fail('TypeMismatchError', "typedArray parameter isn't a TypedArray instance");
  }
  if (TypedArrayPrototypeGetLength(array) > QUOTA) {
    fail('QuotaExceededError', 'typedArray parameter is too big; maximum length is ' + QUOTA);
  }
  const values = unpack(host('webcrypto.random', TypedArrayPrototypeGetByteLength(array)));
  TypedArrayPrototypeSet(viewOf(array), new Uint8Array(values));
  return array;
});
defineFixed(crypto, 'randomUUID', () => host('webcrypto.uuid'));
later(crypto, 'subtle', ['subtle', 'CryptoKey'], true);

ObjectDefineProperty(globalThis, 'crypto', {
  __proto__: null, value: crypto, writable: true, configurable: true,
});
