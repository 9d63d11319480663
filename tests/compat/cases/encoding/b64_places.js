// k6/encoding: where a text is found to be no base64, in each variant; inputs of all kinds.
import encoding from 'k6/encoding';

const attempt = (name, call) => {
  try {
    console.log(`${name}: ${JSON.stringify(call())}`);
  } catch (e) {
    console.log(`${name}: ${e}`);
  }
};

export default function () {
  const texts = ['', 'Y', 'YW', 'YWI', 'YWI=', 'YW=', 'YW=I', 'YQ==', 'YQ=', 'YQ==Y', 'Y===', '====', '!!', 'YW!', 'YQ==\n', 'Y\nQ\r\n=\n=\n', 'Y Q==', 'YR==', '_-8=', '/+8=', '_-8', '/+8', 'YWI=YWI=', 'YWJj\0', 'YWJjü', 'YWJjYW'];
  for (const variant of ['std', 'rawstd', 'url', 'rawurl', 'other', undefined]) {
    for (const text of texts) attempt(`${variant} ${JSON.stringify(text)}`, () => encoding.b64decode(text, variant, 's'));
  }
  for (const value of [undefined, null, 5, 1.5, 1e30, true, [1, 2], ['YQ=='], {}, () => 1, 1n, new Date(0), new Map(), new Uint8Array([1, 2]), new Uint16Array([1, 2]), new Uint8Array([1, 2]).buffer, new DataView(new ArrayBuffer(2)), 'a\ud800', 'a\0']) {
    attempt(`encode ${Object.prototype.toString.call(value)}`, () => encoding.b64encode(value));
    attempt(`decode ${Object.prototype.toString.call(value)}`, () => encoding.b64decode(value, 'std', 's'));
    attempt(`variant ${Object.prototype.toString.call(value)}`, () => encoding.b64encode('a?b>ü', value));
    attempt(`format ${Object.prototype.toString.call(value)}`, () => typeof encoding.b64decode('YWI=', 'std', value));
  }
}
