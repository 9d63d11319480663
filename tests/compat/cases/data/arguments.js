// SharedArray: names, functions and results of all kinds, what its elements cannot be; what can be done to one.
import { SharedArray } from 'k6/data';

const said = [];
const attempt = (name, call) => {
  try {
    said.push(`${name}: ${JSON.stringify(call())}`);
  } catch (e) {
    said.push(`${name}: ${e}`);
  }
};
const values = { nothing: undefined, null: null, number: 5, empty: '', text: 'x', list: [1, 2], object: {}, call: () => 1, bigint: 1n, date: new Date(0), bytes: new Uint8Array(2), map: new Map(), expression: /x/ };
for (const [name, value] of Object.entries(values)) {
  attempt(`name ${name}`, () => new SharedArray(value, () => [name]).length);
  attempt(`function ${name}`, () => new SharedArray(`function ${name}`, value).length);
  attempt(`result ${name}`, () => new SharedArray(`result ${name}`, () => value).length);
  if (name !== 'bigint') attempt(`element ${name}`, () => [new SharedArray(`element ${name}`, () => [value])[0]]);
}
attempt('async', () => new SharedArray('async', async () => [1]));
attempt('async without a name', () => new SharedArray('', async () => [1]));
attempt('nothing at all', () => new SharedArray());
attempt('throws', () => new SharedArray('throws', () => { throw new Error('from inside'); }));
attempt('the same name', () => [new SharedArray('same', () => [1]), new SharedArray('same', () => [1, 2])]);

const array = new SharedArray('array', () => [{ a: 1 }, 'x', null, [1, [2]]]);
for (const key of ['0', '00', '-1', '1.5', '4', '1e0', ' 1', '4294967296', 'length', 'nothing']) attempt(`get ${key}`, () => [array[key], key in array]);
attempt('freeze', () => Object.freeze(array));
attempt('extensible', () => Object.isExtensible(array));
attempt('keys', () => [Object.keys(array), Object.getOwnPropertyNames(array), Object.getOwnPropertyDescriptor(array, '0')]);
attempt('set', () => { array[0] = 1; });
attempt('delete', () => delete array[0]);
attempt('length', () => { array.length = 0; });
attempt('push', () => array.push(1));
attempt('sort', () => array.sort());
attempt('define', () => Object.defineProperty(array, '0', { value: 1 }));
attempt('all of it', () => array);

export default function () {
  said.forEach((text) => console.log(text));
  try {
    console.log(new SharedArray('late', () => []));
  } catch (e) {
    console.log(String(e));
  }
}
