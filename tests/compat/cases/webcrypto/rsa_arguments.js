// RSA: salts of RSA-PSS, texts too long, keys of the wrong kind, formats.
import { outcome } from './_data/_outcomes.js';

export default async function () {
  const s = crypto.subtle;
  const ones = (n) => new Uint8Array(n).fill(1);
  const parameters = { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await s.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', ...parameters }, true, ['sign', 'verify']);
  const signature = await s.sign({ name: 'RSA-PSS', saltLength: 32 }, pair.privateKey, ones(3));
  for (const saltLength of [0, 1, 32, 94, 95, 500, -1, -2, NaN, '32', 'x', null, undefined, 32.5]) {
    await outcome(`sign ${saltLength}`, async () => (await s.sign({ name: 'RSA-PSS', saltLength }, pair.privateKey, ones(3))).byteLength);
    await outcome(`verify ${saltLength}`, () => s.verify({ name: 'RSA-PSS', saltLength }, pair.publicKey, signature, ones(3)));
  }
  await outcome('only a name', () => s.sign('RSA-PSS', pair.privateKey, ones(3)));
  await outcome('sign with a public key', () => s.sign({ name: 'RSA-PSS', saltLength: 0 }, pair.publicKey, ones(3)));
  await outcome('verify with a private key', () => s.verify({ name: 'RSA-PSS', saltLength: 0 }, pair.privateKey, signature, ones(3)));
  const both = await s.importKey('spki', await s.exportKey('spki', pair.publicKey), { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign', 'verify']);
  await outcome('sign with a public key that may', () => s.sign({ name: 'RSA-PSS', saltLength: 0 }, both, ones(3)));
  await outcome('short signature', () => s.verify({ name: 'RSA-PSS', saltLength: 32 }, pair.publicKey, ones(3), ones(3)));
  for (const format of ['raw', 'spki', 'pkcs8', 'x']) {
    await outcome(`public ${format}`, async () => (await s.exportKey(format, pair.publicKey)).byteLength > 100);
    await outcome(`private ${format}`, async () => (await s.exportKey(format, pair.privateKey)).byteLength > 100);
  }
  const oaep = await s.generateKey({ name: 'RSA-OAEP', hash: 'SHA-1', ...parameters }, true, ['encrypt', 'decrypt']);
  for (const n of [0, 1, 86, 87, 500]) await outcome(`oaep ${n}`, async () => (await s.encrypt({ name: 'RSA-OAEP' }, oaep.publicKey, ones(n))).byteLength);
  for (const n of [3, 128]) await outcome(`oaep open ${n}`, () => s.decrypt({ name: 'RSA-OAEP' }, oaep.privateKey, ones(n)));
  await outcome('oaep only a name', () => s.encrypt('RSA-OAEP', oaep.publicKey, ones(1)));
  for (const label of ['\u0001\u0001', [1, 1], ones(2), ones(3), undefined]) {
    await outcome(`oaep label ${JSON.stringify(label)}`, async () => s.decrypt({ name: 'RSA-OAEP', label: ones(2) }, oaep.privateKey, await s.encrypt({ name: 'RSA-OAEP', label }, oaep.publicKey, ones(3))));
  }
  await outcome('oaep label 5', () => s.encrypt({ name: 'RSA-OAEP', label: 5 }, oaep.publicKey, ones(1)));
}
