// k6/experimental/fs: arguments of wrong kinds, their texts; positions outside of the file.
import { open as fsOpen, SeekMode } from 'k6/experimental/fs';

const said = [];
const attempt = async (name, call) => {
  try {
    said.push(`${name}: ${JSON.stringify(await call())}`);
  } catch (e) {
    said.push(`${name}: ${e.name} ${e.message} ${e instanceof Error}`);
  }
};
for (const path of [undefined, null, '', 5, ['./_data/hello.txt'], './none.txt', './_data', './_data/hello.txt/x', `./${'x'.repeat(300)}`]) {
  await attempt(`open ${String(path).slice(0, 20)}`, async () => {
    try {
      const { path: opened, ...rest } = await fsOpen(path);
      return [opened.split('/').pop(), Object.keys(rest).sort()];
    } catch (e) {
      throw e.name ? { name: e.name, message: e.message.replace(/"\/.*\//, '"') } : { name: 'none', message: String(e).replace(/\/.*\//g, '') };
    }
  });
}
const file = await fsOpen('./_data/hello.txt');
const { read, seek } = file;
const intos = { nothing: undefined, null: null, number: 5, list: [], u16: new Uint16Array(2), buffer: new ArrayBuffer(4), view: new DataView(new ArrayBuffer(4)), none: new Uint8Array(0), four: new Uint8Array(4), much: new Uint8Array(999) };
for (const [name, into] of Object.entries(intos)) {
  await seek(1, 0);
  await attempt(`read ${name}`, async () => [await read(into), name === 'four' ? Array.from(into) : null]);
}
const places = [[], [2], [2, SeekMode.Start], [1, SeekMode.Current], [-2, SeekMode.End], [0, SeekMode.End], [-1, 0], [1, 2], [999, 0], [-999, 1], [-999, 2], [NaN, 0], [Infinity, 0], [1e30, 0],
  ['2', 0], [null, 0], [1.5, 0], [true, 0], [{}, 0], [0, 3], [0, -1], [0, '0'], [0, null], [0, 1.5]];
for (const place of places) {
  await seek(1, 0);
  await attempt(`seek ${place.map(String)}`, () => seek(...place));
}
await seek(-1, SeekMode.End);
await attempt('the last byte', () => read(new Uint8Array(3)));
await attempt('the end', () => read(new Uint8Array(3)));
await attempt('nothing at the end', () => read(new Uint8Array(0)));
await attempt('stat', () => file.stat());
await attempt('modes', () => [SeekMode, Object.isFrozen(SeekMode)]);

export default function () {
  said.forEach((text) => console.log(text));
}
