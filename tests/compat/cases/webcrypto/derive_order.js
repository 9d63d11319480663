// deriveBits and deriveKey: what is checked first, lengths, keys and parameters.
import { outcome } from './_data/_outcomes.js';

const ec = {
  kty: 'EC', crv: 'P-256', x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4', y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM', d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE',
};

export default async function () {
  const s = crypto.subtle;
  const how = { name: 'ECDH', namedCurve: 'P-256' };
  const mine = await s.importKey('jwk', ec, how, true, ['deriveBits', 'deriveKey']);
  const unused = await s.importKey('jwk', ec, how, true, ['deriveKey']);
  const theirs = await s.importKey('jwk', { ...ec, d: undefined }, how, true, []);
  const renamed = await s.importKey('jwk', { ...ec, d: undefined }, { name: 'ECDH', namedCurve: 'P-521' }, true, []);
  const large = await s.generateKey({ name: 'ECDH', namedCurve: 'P-521' }, true, ['deriveBits']);
  const signing = await s.importKey('jwk', ec, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  const verifying = await s.importKey('jwk', { ...ec, d: undefined }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
  for (const length of [0, 1, 7, 8, 16, 128, 255, 256, 264, NaN, '16', 'x', null, undefined, 16.9]) await outcome(`length ${length}`, () => s.deriveBits({ name: 'ECDH', public: theirs }, mine, length));
  for (const [label, key, base, length] of [['private as public', mine, mine, 8], ['curves', large.publicKey, mine, 8], ['named curves', renamed, mine, 8], ['curve and name', renamed, large.privateKey, 8], ['no usage', theirs, unused, 8],
    ['ECDSA public', verifying, mine, 8], ['ECDSA private', theirs, signing, 8], ['undefined', undefined, mine, 8], ['null', null, mine, 8], ['number', 5, mine, 8], ['object', {}, mine, 8], ['text', 'x', mine, 8],
    ['length before usage', theirs, unused, 0], ['length before curve', large.publicKey, mine, 7], ['curve before size', large.publicKey, mine, 1e6], ['public before length', mine, mine, 0], ['base number', theirs, 5, 8], ['base object', theirs, {}, 8]]) {
    await outcome(label, () => s.deriveBits({ name: 'ECDH', public: key }, base, length));
  }
  await outcome('only a name', () => s.deriveBits('ECDH', mine, 8));
  await outcome('key by ECDH', () => s.deriveKey({ name: 'ECDH', public: theirs }, mine, { name: 'AES-GCM', length: 128 }, true, ['encrypt']));
  await outcome('HKDF', () => s.deriveBits({ name: 'HKDF' }, mine, 8));
  const password = await s.importKey('raw', new Uint8Array(4), 'PBKDF2', false, ['deriveBits', 'deriveKey']);
  const bitsOnly = await s.importKey('raw', new Uint8Array(4), 'PBKDF2', false, ['deriveBits']);
  const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', iterations: 2, salt: new Uint8Array(2) };
  for (const change of [{}, { iterations: 0 }, { iterations: -1 }, { iterations: '3' }, { iterations: 'x' }, { iterations: null }, { iterations: 2.7 }, { salt: undefined }, { salt: 'ab' }, { salt: 5 }, { salt: [1, 2] }, { salt: {} }, { hash: undefined }, { hash: 'sha-1' }, { hash: 'MD5' }]) {
    await outcome(`PBKDF2 ${JSON.stringify(change)}`, () => s.deriveBits({ ...pbkdf2, ...change }, password, 64));
  }
  await outcome('part of a salt', () => s.deriveBits({ ...pbkdf2, salt: new Uint8Array(8).fill(3).subarray(2, 4) }, password, 64));
  for (const length of [0, 7, NaN, '16', null]) await outcome(`PBKDF2 length ${length}`, () => s.deriveBits(pbkdf2, password, length));
  await outcome('key without usage', () => s.deriveKey(pbkdf2, bitsOnly, { name: 'AES-GCM', length: 128 }, true, ['encrypt']));
  for (const [derived, usages] of [[{ name: 'AES-CBC', length: 192 }, ['encrypt']], [{ name: 'HMAC', hash: 'SHA-1', length: 64 }, ['sign']], [{ name: 'AES-KW', length: 128 }, ['wrapKey']], [{ name: 'AES-CBC', length: 128 }, ['sign']], [{ name: 'AES-CBC', length: 128 }, []],
    [{ name: 'AES-CBC', length: 40 }, ['encrypt']], [{ name: 'AES-CBC', length: 7 }, ['encrypt']], [{ name: 'AES-CBC', length: 0 }, ['encrypt']], [{ name: 'AES-CBC' }, ['encrypt']], ['AES-CBC', ['encrypt']], ['PBKDF2', ['deriveBits']]]) {
    await outcome(`key ${JSON.stringify(derived)} ${usages}`, () => s.deriveKey(pbkdf2, password, derived, true, usages));
  }
  await outcome('export', () => s.exportKey('raw', password));
  await outcome('with another key', () => s.deriveBits(pbkdf2, mine, 8));
}
