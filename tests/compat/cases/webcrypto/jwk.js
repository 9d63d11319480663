// JSON Web Keys: members that are missing or wrong, and a curve other than the one asked for.
import { outcome } from './_data/_outcomes.js';

const ec = {
  kty: 'EC', crv: 'P-256', x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4', y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM', d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE',
};

export default async function () {
  const s = crypto.subtle;
  const changes = [{}, { d: undefined }, { kty: undefined }, { kty: 'RSA' }, { crv: undefined }, { crv: 'P-257' }, { x: '' }, { x: 5 }, { x: '!!' }, { x: `${ec.x}=` }, { alg: 'ES256', use: 'sig', ext: false }, { d: null }];
  for (const name of ['ECDSA', 'ECDH']) {
    const usages = name === 'ECDSA' ? ['sign'] : ['deriveBits'];
    for (const change of changes) {
      for (const namedCurve of ['P-256', 'P-521', 'foo']) await outcome(`${name} ${namedCurve} ${JSON.stringify(change)}`, () => s.importKey('jwk', { ...ec, ...change }, { name, namedCurve }, true, usages));
      await outcome(`${name} unused ${JSON.stringify(change)}`, () => s.importKey('jwk', { ...ec, ...change }, { name, namedCurve: 'P-256' }, true, []));
    }
    for (const data of [null, [], 'x', 5, true]) await outcome(`${name} ${JSON.stringify(data)}`, () => s.importKey('jwk', data, { name, namedCurve: 'P-256' }, true, usages));
  }
  const other = await s.importKey('jwk', ec, { name: 'ECDSA', namedCurve: 'P-521' }, true, ['sign']);
  for (const format of ['pkcs8', 'raw', 'spki', 'x']) await outcome(`other ${format}`, async () => (await s.exportKey(format, other)).byteLength);
  const { crv, d } = await s.exportKey('jwk', other);
  console.log(crv, d === ec.d, (await s.sign({ name: 'ECDSA', hash: 'SHA-256' }, other, new Uint8Array(2))).byteLength);
  for (const jwk of [{ kty: 'oct', k: 'AQEBAQEBAQEBAQEBAQEBAQ' }, { kty: 'oct', k: 'AQEBAQEBAQEBAQEBAQEBAQ', alg: 'A256GCM', ext: false, key_ops: ['x'] }, { kty: 'oct', k: 'AQEBAQEBAQEBAQEBAQEBAQ==' }, { kty: 'oct', k: '+/8B' }, { kty: 'oct', k: 'AQ' },
    { kty: 'oct' }, { kty: 'oct', k: 5 }, { k: 'AQ' }, ec]) {
    await outcome(`AES ${JSON.stringify(jwk)}`, () => s.importKey('jwk', jwk, 'AES-GCM', true, ['encrypt']));
    await outcome(`HMAC ${JSON.stringify(jwk)}`, () => s.importKey('jwk', jwk, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']));
  }
  const sorted = (jwk) => JSON.stringify(Object.keys(jwk).sort().map((name) => [name, jwk[name]]));
  console.log(sorted(await s.exportKey('jwk', await s.importKey('raw', new Uint8Array(32), 'AES-CTR', true, ['encrypt']))));
  console.log(sorted(await s.exportKey('jwk', await s.importKey('raw', new Uint8Array(3), { name: 'HMAC', hash: 'SHA-384' }, true, ['verify', 'sign']))));
  const rsa = { name: 'RSA-PSS', hash: 'SHA-256' };
  const pair = await s.generateKey({ ...rsa, modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign', 'verify']);
  const secret = await s.exportKey('jwk', pair.privateKey);
  const open = await s.exportKey('jwk', pair.publicKey);
  console.log(Object.keys(secret).sort().join(), Object.keys(open).sort().join(), open.e);
  for (const change of [{}, { kty: 'EC' }, { n: '' }, { e: undefined }, { n: 5 }, { n: '*' }]) await outcome(`RSA ${JSON.stringify(change)}`, () => s.importKey('jwk', { ...secret, ...change }, rsa, true, ['sign']));
  const imported = await s.importKey('jwk', open, rsa, true, ['verify']);
  const signature = await s.sign({ name: 'RSA-PSS', saltLength: 32 }, await s.importKey('jwk', secret, rsa, true, ['sign']), new Uint8Array(3));
  await outcome('verify', () => s.verify({ name: 'RSA-PSS', saltLength: 32 }, pair.publicKey, signature, new Uint8Array(3)));
  await outcome('verify with jwk', () => s.verify({ name: 'RSA-PSS', saltLength: 32 }, imported, signature, new Uint8Array(3)));
  await outcome('jwk as spki', () => s.exportKey('spki', imported));
}
