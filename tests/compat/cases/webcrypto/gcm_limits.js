// AES-GCM: which initialization vectors, tags, additional data and texts are taken.
import { outcome } from './_data/_outcomes.js';

export default async function () {
  const s = crypto.subtle;
  const ones = (n) => new Uint8Array(n).fill(1);
  const key = await s.importKey('raw', ones(16), 'AES-GCM', true, ['encrypt', 'decrypt']);
  for (const n of [0, 1, 8, 11, 12, 13, 16, 64]) await outcome(`iv of ${n}`, () => s.encrypt({ name: 'AES-GCM', iv: ones(n) }, key, ones(5)));
  for (const tagLength of [0, 8, 32, 64, 95, 96, 104, 112, 120, 127, 128, 129, -1, NaN, '96', 'x', null, 96.7, true]) {
    await outcome(`seal with ${tagLength}`, () => s.encrypt({ name: 'AES-GCM', iv: ones(12), tagLength }, key, ones(5)));
    await outcome(`open with ${tagLength}`, () => s.decrypt({ name: 'AES-GCM', iv: ones(12), tagLength }, key, ones(32)));
  }
  await outcome('nothing', () => s.encrypt({ name: 'AES-GCM', iv: ones(12) }, key, ones(0)));
  await outcome('nothing again', async () => s.decrypt({ name: 'AES-GCM', iv: ones(12) }, key, await s.encrypt({ name: 'AES-GCM', iv: ones(12) }, key, ones(0))));
  for (const n of [0, 15]) await outcome(`open ${n} bytes`, () => s.decrypt({ name: 'AES-GCM', iv: ones(12) }, key, ones(n)));
  await outcome('open without iv', () => s.decrypt({ name: 'AES-GCM' }, key, ones(32)));
  for (const iv of [undefined, null, '123456789012', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 12, {}, ones(12).buffer, ones(24).subarray(12), new Uint16Array(6)]) {
    await outcome(`iv ${JSON.stringify(iv)}`, () => s.encrypt({ name: 'AES-GCM', iv }, key, ones(5)));
  }
  for (const additionalData of [undefined, null, ones(0), ones(3), 'abc', [1, 2], 5, {}, ones(2).buffer]) {
    await outcome(`data ${JSON.stringify(additionalData)}`, () => s.encrypt({ name: 'AES-GCM', iv: ones(12), additionalData }, key, ones(5)));
  }
  await outcome('only a name', () => s.encrypt('AES-GCM', key, ones(5)));
  await outcome('in small letters', () => s.encrypt({ name: 'aes-gcm', iv: ones(12) }, key, ones(5)));
  await outcome('another algorithm', () => s.encrypt({ name: 'AES-CBC', iv: ones(16) }, key, ones(5)));
}
