// crypto: the part of the Web Cryptography API (https://www.w3.org/TR/WebCryptoAPI/) that k6 has, see
// https://grafana.com/docs/k6/latest/javascript-api/crypto/.
// @ts-check
import { fail } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import { later } from 'jsrunner:globals/environment';
import { TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSet, viewOf } from 'jsrunner:bytes';
import {
  ArrayBufferIsView, ArrayPrototypeIncludes, ObjectDefineProperty, ObjectGetPrototypeOf, TypeError,
  TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
} from 'jsrunner:primordials';
import { isNullish } from 'jsrunner:values';

const INTEGERS = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array'];

/** Return true if a typed array is an instance of a built-in class itself, not of a subclass. */
const isPlain = (array) => (
  ObjectGetPrototypeOf(ObjectGetPrototypeOf(array)) === ObjectGetPrototypeOf(Uint8Array.prototype)
);

/** Maximum number of elements that a call of getRandomValues fills. */
const QUOTA = 65536;

/** Define a member that cannot be changed. */
export const defineFixed = (object, name, value) => ObjectDefineProperty(object, name, {
  __proto__: null, value, enumerable: true, writable: false, configurable: false,
});

export const crypto = {};
defineFixed(crypto, 'getRandomValues', (array) => {
  if (isNullish(array)) throw new TypeError('Cannot convert undefined or null to object');
  const kind = ArrayBufferIsView(array) ? TypedArrayPrototypeGetSymbolToStringTag(array) : undefined;
  if (!ArrayPrototypeIncludes(INTEGERS, kind) || !isPlain(array)) {
    fail('TypeMismatchError', "typedArray parameter isn't a TypedArray instance");
  }
  if (TypedArrayPrototypeGetLength(array) > QUOTA) {
    fail('QuotaExceededError', 'typedArray parameter is too big; maximum length is ' + QUOTA);
  }
  const values = host('webcrypto.random', TypedArrayPrototypeGetByteLength(array));
  TypedArrayPrototypeSet(viewOf(array), new Uint8Array(values));
  return array;
});
defineFixed(crypto, 'randomUUID', () => host('webcrypto.uuid'));
later(crypto, 'subtle', ['subtle', 'CryptoKey'], false);
