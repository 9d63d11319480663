// k6/experimental/csv: https://grafana.com/docs/k6/latest/javascript-api/k6-experimental/csv/
// @ts-check
import { context } from 'jsrunner:context';
import { GoError } from 'jsrunner:errors';
import { handleOf } from 'jsrunner:files';
import { host } from 'jsrunner:host';
import { promised, queueTask } from 'jsrunner:loop';
import { NumberIsInteger } from 'jsrunner:more_primordials';
import {
  ArrayFromSafe, Boolean, MathMax, MathMin, MathTrunc, Number, NumberIsNaN, Object, ObjectDefineProperty, Promise,
  SafeArray, String, TypeError,
} from 'jsrunner:primordials';
import { sharedArray } from 'jsrunner:shared_array';
import { isNullish } from 'jsrunner:values';

/** The bounds of Go's int64, rounded to numbers. */
const MOST = 2 ** 63;

const integerOf = (value) => {
  const number = Number(value);
  return NumberIsNaN(number) ? 0 : MathMax(MathMin(MathTrunc(number), MOST), -MOST);
};

/** Return the options as k6 reads them. A member that is undefined counts as present. `reason` begins error texts. */
const optionsOf = (options, reason) => {
  const given = {
    __proto__: null, delimiter: ',', skip_first_line: false, from_line: null, to_line: null, as_objects: false,
  };
  if (options === null) throw new TypeError('Cannot convert undefined or null to object');
  if (options === undefined) return given;
  const source = Object(options);
  if ('delimiter' in source) {
    given.delimiter = String(source.delimiter);
    // k6 demands one byte.
    if (given.delimiter.length !== 1 || given.delimiter > '\u007f') {
      throw new GoError(reason + 'delimiter must be a single character');
    }
  }
  if ('skipFirstLine' in source) given.skip_first_line = Boolean(source.skipFirstLine);
  if ('fromLine' in source) given.from_line = integerOf(source.fromLine);
  if ('toLine' in source) given.to_line = integerOf(source.toLine);
  if ('asObjects' in source) given.as_objects = Boolean(source.asObjects);
  if (given.from_line !== null && given.to_line !== null && given.from_line >= given.to_line) {
    throw new GoError(reason + 'fromLine must be less than or equal to toLine');
  }
  return given;
};

const goClass = (value) => {
  switch (typeof value) {
    case 'string': return value > '\u007f' ? 'sobek.unicodeString' : 'sobek.asciiString';
    case 'number': return NumberIsInteger(value) ? 'sobek.valueInt' : 'sobek.valueFloat';
    case 'boolean': return 'sobek.valueBool';
    default: return '*sobek.Symbol';
  }
};

/** Return the handle of a file, null for an object that is no file. */
const fileOf = (value) => {
  if (typeof value !== 'object' && typeof value !== 'function' && value !== undefined) {
    throw new GoError('first argument expected to be a fs.File instance, got ' + goClass(value) + ' instead');
  }
  return handleOf(value);
};

// Returns a file's records one by one. As k6's constructors do, Parser works without `new` and has a length of 0.
export function Parser(file = undefined, options = undefined) {
  if (!context.inInit) throw new GoError('csv Parser constructor must be called in the init context');
  if (!new.target) return new Parser(file, options);
  if (isNullish(file)) throw new GoError('csv Parser constructor takes at least one non-nil source argument');
  const handle = fileOf(file);
  const given = optionsOf(options, 'encountered an error while interpreting Parser options; reason: ');
  const reader = host('experimental_csv.reader', handle, given);
  ObjectDefineProperty(this, 'next', {
    __proto__: null,
    enumerable: true,
    value: () => promised(() => {
      const record = host('experimental_csv.next', reader);
      return record === undefined ? { done: true, value: ArrayFromSafe(SafeArray()) } : { done: false, value: record };
    }),
  });
}

/** Return a promise of all records of a file, which the VUs of a process share. Throws for bad arguments. */
export const parse = (file, ...more) => {
  const handle = fileOf(file);
  if (more.length > 0 && more[0] === undefined) throw new TypeError('Cannot convert undefined or null to object');
  const given = optionsOf(more[0], 'failed to interpret the provided Parser options; reason: ');
  const parsed = host('experimental_csv.begin', handle, given);
  return new Promise((resolve, reject) => {
    try {
      const length = host('experimental_csv.parse', parsed);
      queueTask(() => resolve(sharedArray(length, (index) => host('experimental_csv.record', parsed, index))));
    } catch (error) {
      queueTask(() => reject(error));
    }
  });
};

export default { Parser, parse };
