// generateKey and importKey: what is checked first, parameters or usages, and what usages become.
import { outcome } from './_data/_outcomes.js';

export default async function () {
  const s = crypto.subtle;
  const exponent = new Uint8Array([1, 0, 1]);
  const algorithms = [{ name: 'HMAC', hash: 'SHA-256' }, { name: 'AES-CBC', length: 128 }, { name: 'AES-KW', length: 128 }, { name: 'ECDSA', namedCurve: 'P-256' },
    { name: 'ECDH', namedCurve: 'P-256' }, { name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 1024, publicExponent: exponent },
    { name: 'RSA-OAEP', hash: 'SHA-256', modulusLength: 1024, publicExponent: exponent }];
  const usages = [undefined, null, 'sign', 5, {}, [], ['foo'], ['sign', 'foo'], ['sign', 'sign', 'verify'], [5], [null], ['encrypt'], ['verify'], ['wrapKey'], ['deriveKey'], ['decrypt', 'wrapKey']];
  for (const algorithm of algorithms) for (const usage of usages) await outcome(`${algorithm.name} ${JSON.stringify(usage)}`, () => s.generateKey(algorithm, true, usage));
  for (const usage of usages) {
    await outcome(`import HMAC ${JSON.stringify(usage)}`, () => s.importKey('raw', new Uint8Array(4), { name: 'HMAC', hash: 'SHA-1' }, true, usage));
    await outcome(`import AES ${JSON.stringify(usage)}`, () => s.importKey('raw', new Uint8Array(16), 'AES-CBC', true, usage));
    await outcome(`import PBKDF2 ${JSON.stringify(usage)}`, () => s.importKey('raw', new Uint8Array(4), 'PBKDF2', false, usage));
  }
  for (const length of [0, 1, 128, 129, '192', NaN, null, undefined, 256.9, {}, true]) {
    for (const usage of ['encrypt', 'foo']) await outcome(`AES ${String(length)} ${usage}`, () => s.generateKey({ name: 'AES-GCM', length }, true, [usage]));
    await outcome(`HMAC ${String(length)}`, () => s.generateKey({ name: 'HMAC', hash: 'SHA-1', length }, true, ['sign']));
    await outcome(`import ${String(length)}`, () => s.importKey('raw', new Uint8Array(16), { name: 'HMAC', hash: 'SHA-1', length }, true, ['sign']));
  }
  for (const hash of [undefined, null, 'sha-1', { name: 'SHA-1' }, { name: 'sha-512' }, 'MD5', {}, 5, ['SHA-1']]) {
    const label = JSON.stringify(hash);
    for (const usage of ['sign', 'foo']) await outcome(`HMAC ${label} ${usage}`, () => s.generateKey({ name: 'HMAC', hash }, true, [usage]));
    await outcome(`RSA ${label}`, () => s.generateKey({ name: 'RSA-PSS', hash, modulusLength: 1024, publicExponent: exponent }, true, ['sign']));
  }
  for (const namedCurve of [undefined, null, 'p-256', 'K-256', 256, 'P-384', {}]) {
    for (const usage of [['sign'], ['foo'], []]) await outcome(`EC ${JSON.stringify(namedCurve)} ${usage}`, () => s.generateKey({ name: 'ECDSA', namedCurve }, true, usage));
    await outcome(`import EC ${JSON.stringify(namedCurve)}`, () => s.importKey('raw', new Uint8Array(65), { name: 'ECDH', namedCurve }, true, []));
  }
  for (const parameters of [{ modulusLength: undefined }, { modulusLength: 0 }, { modulusLength: 512 }, { modulusLength: '1024' }, { modulusLength: 'x' }, { publicExponent: undefined }, { publicExponent: [1, 0, 1] },
    { publicExponent: new Uint8Array([3]) }, { publicExponent: new Uint8Array([2]) }, { publicExponent: new Uint8Array([1]) }, { publicExponent: new Uint8Array(0) }, { publicExponent: exponent.buffer }, { publicExponent: 65537 }]) {
    for (const usage of ['sign', 'foo']) await outcome(`RSA ${JSON.stringify(parameters)} ${usage}`, () => s.generateKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 1024, publicExponent: exponent, ...parameters }, true, [usage]));
  }
  for (const algorithm of [{}, { name: null }, 'sha-256', 'MD5', '', 5, true, { name: 'AES-CBC' }]) {
    const label = JSON.stringify(algorithm);
    await outcome(`generate ${label}`, () => s.generateKey(algorithm, true, ['sign']));
    await outcome(`import ${label}`, () => s.importKey('raw', new Uint8Array(16), algorithm, true, ['encrypt']));
    await outcome(`digest ${label}`, () => s.digest(algorithm, new Uint8Array(1)));
  }
  for (const format of ['raw', 'jwk', 'spki', 'pem', '', undefined, 5, 'RAW']) await outcome(`format ${format}`, () => s.importKey(format, undefined, 'AES-CBC', true, ['encrypt']));
  for (const extractable of [undefined, null, 0, 'false', {}]) await outcome(`extractable ${String(extractable)}`, () => s.generateKey({ name: 'AES-CBC', length: 128 }, extractable, ['encrypt']));
}
