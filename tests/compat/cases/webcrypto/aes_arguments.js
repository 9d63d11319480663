// AES-CBC, AES-CTR, AES-KW: lengths of vectors and counters, what counts, and what there is not.
import { outcome } from './_data/_outcomes.js';

export default async function () {
  const s = crypto.subtle;
  const ones = (n, value = 1) => new Uint8Array(n).fill(value);
  const cbc = await s.importKey('raw', ones(16), 'AES-CBC', true, ['encrypt', 'decrypt']);
  for (const n of [0, 1, 15, 16, 17]) await outcome(`cbc ${n} bytes`, () => s.encrypt({ name: 'AES-CBC', iv: ones(16) }, cbc, ones(n)));
  await outcome('cbc short iv', () => s.encrypt({ name: 'AES-CBC', iv: ones(15) }, cbc, ones(1)));
  await outcome('cbc no iv', () => s.encrypt({ name: 'AES-CBC' }, cbc, ones(1)));
  await outcome('cbc open short iv', () => s.decrypt({ name: 'AES-CBC', iv: ones(15) }, cbc, ones(16)));
  await outcome('cbc open nonsense', () => s.decrypt({ name: 'AES-CBC', iv: ones(16) }, cbc, ones(16)));
  const ctr = await s.importKey('raw', ones(16), 'AES-CTR', true, ['encrypt', 'decrypt']);
  for (const length of [0, 1, 2, 64, 128, 129, -1, NaN, undefined, '64', 64.5]) {
    await outcome(`ctr ${length}`, () => s.encrypt({ name: 'AES-CTR', counter: ones(16, 255), length }, ctr, ones(40)));
    await outcome(`ctr open ${length}`, () => s.decrypt({ name: 'AES-CTR', counter: ones(16, 255), length }, ctr, ones(40)));
  }
  await outcome('ctr short counter', () => s.encrypt({ name: 'AES-CTR', counter: ones(15), length: 64 }, ctr, ones(4)));
  await outcome('ctr nothing', () => s.encrypt({ name: 'AES-CTR', counter: ones(16), length: 64 }, ctr, ones(0)));
  const kw = await s.generateKey({ name: 'AES-KW', length: 128 }, true, ['wrapKey']);
  await outcome('kw export', () => s.exportKey('raw', kw));
  await outcome('kw encrypt', () => s.encrypt({ name: 'AES-KW' }, kw, ones(8)));
  await outcome('wrapKey', () => s.wrapKey('raw', cbc, kw, 'AES-KW'));
  await outcome('unwrapKey', () => s.unwrapKey('raw', ones(24), kw, 'AES-KW', 'AES-CBC', true, ['encrypt']));
  for (const data of [undefined, null, 'abc', 5, [1, 2], {}, ones(3).buffer, new DataView(ones(4).buffer, 1, 2), ones(6).subarray(2, 4), new Uint16Array([1, 2]), new BigInt64Array(1)]) {
    const label = Object.prototype.toString.call(data);
    await outcome(`encrypt ${label}`, () => s.encrypt({ name: 'AES-CBC', iv: ones(16) }, cbc, data));
    await outcome(`digest ${label}`, () => s.digest('SHA-1', data));
    await outcome(`import ${label}`, () => s.importKey('raw', data, { name: 'HMAC', hash: 'SHA-1' }, true, ['sign']));
  }
}
