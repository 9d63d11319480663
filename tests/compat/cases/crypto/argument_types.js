// k6/crypto: what is no bytes and no size, its names in Go, the order of the checks; methods of hashers without their object.
import crypto from 'k6/crypto';

const attempt = (name, call) => {
  try {
    const result = call();
    console.log(`${name}: ${result instanceof ArrayBuffer ? result.byteLength : result}`);
  } catch (e) {
    console.log(`${name}: ${e}`);
  }
};

export default function () {
  const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
  const values = {
    nothing: undefined, null: null, number: 5, 'minus zero': -0, float: 1.5, large: 1e30, truth: true, list: [1, 2], object: {}, call: () => 1, bigint: 1n,
    date: new Date(0), map: new Map(), set: new Set(), promise: Promise.resolve(1), box: Object(5), expression: /x/, buffer, u8: new Uint8Array(buffer),
    clamped: new Uint8ClampedArray(buffer), i8: new Int8Array(buffer), u16: new Uint16Array(buffer), i32: new Int32Array(buffer), f32: new Float32Array(buffer),
    f64: new Float64Array(buffer), big: new BigInt64Array(buffer), 'unsigned big': new BigUint64Array(buffer), view: new DataView(buffer), half: 'a\ud800', zero: 'a\0b',
  };
  for (const [name, value] of Object.entries(values)) {
    attempt(`sha1 of ${name}`, () => crypto.sha1(value, 'hex'));
    attempt(`hexEncode of ${name}`, () => crypto.hexEncode(value));
    attempt(`key ${name}`, () => crypto.createHMAC('sha1', value).digest('hex'));
    if (name !== 'promise') attempt(`encoding ${name}`, () => crypto.sha1('a', value));
  }
  for (const size of [undefined, null, 0, -1, 0.9, 1.9, '2', 'x', NaN, Infinity, -Infinity, 1e30, -1e30, 2 ** 63, {}, [3], true, 1n]) attempt(`randomBytes of ${size}`, () => crypto.randomBytes(size));
  attempt('hmac: the algorithm first', () => crypto.hmac('x', 5, 5, 'x'));
  attempt('hmac: then the key', () => crypto.hmac('md5', 5, 6.5, 'x'));
  attempt('hmac: then the data', () => crypto.hmac('md5', 'k', 6.5, 'x'));
  attempt('hmac: then the encoding', () => crypto.hmac('md5', 'k', 'd', 'x'));
  attempt('nothing at all', () => crypto.hmac());
  const hasher = crypto.createHash('md5');
  const { update, digest } = hasher;
  update('a');
  attempt('methods alone', () => digest('hex'));
  attempt('again', () => [digest('hex'), update('b'), digest('hex')]);
  attempt('members', () => Object.keys(hasher).sort());
}
