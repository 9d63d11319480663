// Blob of k6/websockets: what it can be made of, options, slices, the pieces of its stream.
import { Blob } from 'k6/websockets';

const attempt = async (name, call) => {
  try {
    console.log(`${name}: ${await call()}`);
  } catch (e) {
    console.log(`${name}: ${e}`);
  }
};
const whole = async (blob) => [blob.size, blob.type, await blob.text()].join('|');

export default async function () {
  const parts = {
    nothing: undefined, null: null, text: 'abc', number: 5, object: {}, list: [], set: new Set(['a', 'b']), array_like: { length: 1, 0: 'a' },
    iterable: { [Symbol.iterator]: () => ['q'][Symbol.iterator]() }, call: () => 1, truth: true, nested: [['a']], 'null in': [null], 'nothing in': [undefined],
    'number in': [5], 'truth in': [true], 'object in': [{}], mixed: ['a', new Uint8Array([66]).buffer, new Uint16Array([0x4443]), 'é'],
    bytes: new Uint8Array([1, 2]), map: new Map([['a', 'b']]),
  };
  for (const [name, value] of Object.entries(parts)) await attempt(name, () => whole(new Blob(value)));
  for (const options of [undefined, null, 5, 'x', { type: 'Text/Plain' }, { type: null }, { type: 5 }]) {
    await attempt(`options ${JSON.stringify(options)}`, () => whole(new Blob(['a'], options)));
  }
  for (const slice of [[], [1], [0, 2], [1, -1], ['1', '2'], [0, 2, 't/x'], [null, 2], [1.7, 2.9]]) {
    await attempt(`slice ${JSON.stringify(slice)}`, () => whole(new Blob(['abcdef'], { type: 'q' }).slice(...slice)));
  }
  await attempt('shape', () => [Blob.length, new Blob().size, String(new Blob())]);
  for (const text of ['', 'abc', 'x'.repeat(2500)]) {
    await attempt(`stream of ${text.length}`, async () => {
      const reader = new Blob([text]).stream().getReader();
      const read = [];
      for (;;) {
        const { done, value } = await reader.read();
        read.push(value === undefined ? 'nothing' : value.length);
        if (done) return read;
      }
    });
  }
}
