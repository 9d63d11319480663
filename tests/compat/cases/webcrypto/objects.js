// The objects: crypto.CryptoKey, read-only members, keys that are changed or only look like keys, random values.
import { outcome } from './_data/_outcomes.js';

export default async function () {
  const s = crypto.subtle;
  const key = await s.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['encrypt']);
  console.log(typeof crypto.CryptoKey, JSON.stringify(crypto.CryptoKey), String(key), Object.getPrototypeOf(key) === Object.prototype);
  for (const object of [crypto, s]) {
    console.log(JSON.stringify(Object.getOwnPropertyNames(object).sort().map((name) => {
      const { writable, enumerable, configurable, value } = Object.getOwnPropertyDescriptor(object, name);
      return [name, writable, enumerable, configurable, typeof value, value.length];
    })));
  }
  const fake = { type: 'secret', extractable: true, algorithm: { name: 'AES-GCM' }, usages: ['encrypt'] };
  for (const other of [5, 'x', {}, fake, { ...fake, algorithm: { name: 'HMAC' } }]) {
    const label = JSON.stringify(other);
    await outcome(`encrypt ${label}`, () => s.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, other, new Uint8Array(5)));
    await outcome(`sign ${label}`, () => s.sign('HMAC', other, new Uint8Array(5)));
    await outcome(`verify ${label}`, () => s.verify('HMAC', other, new Uint8Array(5), new Uint8Array(5)));
    await outcome(`export ${label}`, () => s.exportKey('raw', other));
  }
  for (const none of [undefined, null]) {
    await outcome(`encrypt ${none}`, () => s.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, none, new Uint8Array(5)));
    await outcome(`sign ${none}`, () => s.sign('HMAC', none, new Uint8Array(5)));
    await outcome(`verify ${none}`, () => s.verify('HMAC', none, new Uint8Array(5), new Uint8Array(5)));
    await outcome(`export ${none}`, () => s.exportKey('raw', none));
  }
  key.type = 'public';
  key.algorithm = 'none';
  console.log(key.type, key.algorithm);
  for (const array of [undefined, null, 5, [1], new Float32Array(2), new DataView(new ArrayBuffer(2)), new Uint8Array(65537), new Uint16Array(65536), new Uint16Array(65537), new Uint8Array(0), new (class extends Uint8Array {})(2)]) {
    await outcome(`random ${Object.prototype.toString.call(array)}`, async () => crypto.getRandomValues(array) === array);
  }
  const { getRandomValues, randomUUID } = crypto;
  console.log(getRandomValues(new Uint8Array(2)).length, randomUUID().length);
}
