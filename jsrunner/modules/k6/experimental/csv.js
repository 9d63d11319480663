// k6/experimental/csv: https://grafana.com/docs/k6/latest/javascript-api/k6-experimental/csv/
// @ts-check
import { context } from 'jsrunner:context';
import { GoError } from 'jsrunner:errors';
import { handleOf } from 'jsrunner:files';
import { host } from 'jsrunner:host';
import { promised } from 'jsrunner:loop';
import {
  ArrayFromSafe, MathTrunc, Number, Promise, PromisePrototypeThen, SafeArray, String, StringPrototypeCharCodeAt,
} from 'jsrunner:primordials';
import { sharedArray } from 'jsrunner:shared_array';
import { isNullish } from 'jsrunner:values';

const BAD_OPTIONS = 'failed to interpret the provided Parser options; reason: ';
const NO_PARSER = 'failed to create a new parser; reason: ';

/** A line's number, counted from 0; null where it is not given. */
const line = (value, name) => {
  if (isNullish(value)) return null;
  const number = MathTrunc(Number(value));
  if (!(number >= 0)) throw new GoError(BAD_OPTIONS + name + ' must be a number, and not below 0');
  return number;
};

/** Whether a text is one character, perhaps of two units. */
const isCharacter = (text) => {
  if (text.length !== 2) return text.length === 1;
  return (StringPrototypeCharCodeAt(text, 0) & 0xfc00) === 0xd800
    && (StringPrototypeCharCodeAt(text, 1) & 0xfc00) === 0xdc00;
};

/** [handle, options] of a file to read. `who` begins the errors' texts. */
const checked = (who, file, options) => {
  if (isNullish(file)) throw new GoError(who + ' takes at least one non-nil source argument');
  const handle = handleOf(file);
  if (handle === null) throw new GoError(who + ': the source argument is no file of k6/experimental/fs');
  const given = options ?? { __proto__: null };
  if (typeof given !== 'object') throw new GoError(BAD_OPTIONS + 'the options must be an object');
  const delimiter = isNullish(given.delimiter) ? ',' : String(given.delimiter);
  if (!isCharacter(delimiter)) throw new GoError(BAD_OPTIONS + 'delimiter must be a single character');
  if (delimiter === '"' || delimiter === '\r' || delimiter === '\n') {
    throw new GoError(BAD_OPTIONS + 'delimiter cannot be a quote or a line break');
  }
  const from = line(given.fromLine, 'fromLine') ?? 0;
  const to = line(given.toLine, 'toLine');
  if (to !== null && from > to) throw new GoError(BAD_OPTIONS + 'fromLine must be less than or equal to toLine');
  const skips = !!given.skipFirstLine;
  const asObjects = !!given.asObjects;
  if (asObjects && skips) {
    throw new GoError(NO_PARSER + "the 'header' option cannot be enabled when 'skipFirstLine' is true");
  }
  if (asObjects && from > 0) {
    throw new GoError(NO_PARSER + "the 'header' option cannot be enabled when 'fromLine' is set to a value greater than 0");
  }
  return [handle, {
    delimiter, first: skips && from === 0 ? 1 : from, last: to, as_objects: asObjects,
  }];
};

/** Hands out a file's records one by one. */
export class Parser {
  #reader;

  constructor(file, options) {
    if (!context.inInit) throw new GoError('csv Parser constructor must be called in the init context');
    const source = checked('csv Parser constructor', file, options);
    this.#reader = host('experimental_csv.reader', source[0], source[1]);
  }

  next() {
    return promised(() => {
      const record = host('experimental_csv.next', this.#reader);
      return record === undefined ? { done: true, value: ArrayFromSafe(SafeArray()) } : { done: false, value: record };
    });
  }
}

/** All records of a file, kept once per process. */
export function parse(file, options) {
  return new Promise((resolve, reject) => {
    if (!context.inInit) throw new GoError('csv parse function must be called in the init context');
    const source = checked('csv parse function', file, options);
    PromisePrototypeThen(promised(() => {
      const found = host('experimental_csv.parse', source[0], source[1]);
      return sharedArray(found[1], (index) => host('experimental_csv.record', found[0], index));
    }), resolve, reject);
  });
}

export default { Parser, parse };
