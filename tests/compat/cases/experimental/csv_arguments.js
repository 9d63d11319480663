// k6/experimental/csv: files and options of wrong kinds, their order and texts; records that are none.
import csv from 'k6/experimental/csv';
import { open as fsOpen } from 'k6/experimental/fs';

const said = [];
const attempt = async (name, call) => {
  try {
    said.push(`${name}: ${JSON.stringify(await call())}`);
  } catch (e) {
    said.push(`${name}: ${e}`);
  }
};
const file = await fsOpen('./_data/people.csv');
const kinds = { text: 'x', number: 5, float: 1.5, truth: true, nothing: null, object: {}, list: [], call: () => 1 };
for (const [name, value] of Object.entries(kinds)) {
  if (value !== null) await attempt(`parse of ${name}`, () => csv.parse(value));
  await attempt(`parser of ${name}`, () => csv.Parser(value));
}
await attempt('parser of none', () => new csv.Parser());

const options = [
  undefined, null, 5, 'text', true, [], { delimiter: ';' }, { delimiter: ';;' }, { delimiter: 'é' }, { delimiter: null }, { delimiter: 5 }, { delimiter: '"' },
  { delimiter: '\n' }, { delimiter: undefined }, { skipFirstLine: 1 }, { skipFirstLine: '' }, { fromLine: 1.9 }, { fromLine: '1' }, { fromLine: 'x' },
  { fromLine: NaN }, { fromLine: null }, { fromLine: -1 }, { fromLine: -1e30 }, { fromLine: 100 }, { toLine: 0 }, { toLine: 1 }, { toLine: -1 },
  { toLine: 'x' }, { toLine: 1e30 }, { fromLine: 2, toLine: 2 }, { fromLine: 0, toLine: 0 }, { fromLine: 2, toLine: 3 }, { fromLine: 3, toLine: 1 },
  { asObjects: 1, toLine: 1 }, { asObjects: true, skipFirstLine: true }, { asObjects: true, fromLine: 1 }, { asObjects: true, fromLine: 0 },
  { skipFirstLine: true, fromLine: 2 }, { skipFirstLine: true, fromLine: 0 }, { unknown: 1 },
];
for (const one of options) {
  const name = JSON.stringify(one);
  await file.seek(0, 0);
  await attempt(`parse ${name}`, () => csv.parse(file, one));
  await file.seek(0, 0);
  await attempt(`parser ${name}`, async () => {
    const parser = new csv.Parser(file, one);
    const read = [];
    for (let i = 0; i < 3; i += 1) read.push(await parser.next().then(({ done, value }) => (done ? 'done' : Object.values(value).sort().join('|')), String));
    return read;
  });
}

for (const name of ['bare', 'after', 'open', 'lines', 'short', 'empty', 'ends']) {
  const bad = await fsOpen(`./_data/${name}.csv`);
  await attempt(`parse ${name}.csv`, () => csv.parse(bad));
  await bad.seek(0, 0);
  await attempt(`parser ${name}.csv`, async () => {
    const parser = new csv.Parser(bad);
    const read = [];
    for (let i = 0; i < 4; i += 1) read.push(await parser.next().then(({ done, value }) => (done ? 'done' : value.join('|')), String));
    return read;
  });
}

export default async function () {
  said.forEach((text) => console.log(text));
  for (const call of [() => new csv.Parser(file), () => new csv.Parser(5), () => new csv.Parser()]) {
    try {
      call();
      console.log('made');
    } catch (e) {
      console.log(String(e));
    }
  }
  await file.seek(0, 0);
  console.log((await csv.parse(file)).length);
}
