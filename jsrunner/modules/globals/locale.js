// toLocaleString of dates and numbers as k6 has it: no locale counts, times have 24 hours, and the argument of a
// number's is the radix of its toString.
// @ts-check
import { Date, Number, TypeError, defineProperty, method, part, trunc } from 'jsrunner:host';

const { BigInt, RangeError } = globalThis;
const dayText = method(Date.prototype.toLocaleDateString);
const timeText = method(Date.prototype.toTimeString);
const numberText = method(Number.prototype.toString);
const bigIntText = method(BigInt.prototype.toString);
const bigIntOf = method(BigInt.prototype.valueOf);

const INVALID = 'Invalid Date';

/** hh:mm:ss */
const clock = (date) => {
  const text = timeText(date);
  return text === INVALID ? text : part(text, 0, 8);
};

const define = (prototype, methods) => {
  for (const name in methods) {
    defineProperty(prototype, name, {
      __proto__: null, value: methods[name], writable: true, configurable: true,
    });
  }
};

/** The radix that the first argument is, 10 if there is none. */
const radixOf = (radix, complaint) => {
  if (radix === undefined) return 10;
  const number = trunc(Number(radix));
  if (!(number >= 2 && number <= 36)) throw new RangeError(complaint);
  return number;
};

define(Date.prototype, {
  __proto__: null,
  toLocaleString() {
    const day = dayText(this);
    return day === INVALID ? day : `${day}, ${clock(this)}`;
  },
  toLocaleTimeString() {
    return clock(this);
  },
});
define(Number.prototype, {
  __proto__: null,
  toLocaleString(...values) {
    return numberText(this, radixOf(values[0], 'toString() radix argument must be between 2 and 36'));
  },
});
define(BigInt.prototype, {
  __proto__: null,
  toLocaleString(...values) {
    const type = typeof this;
    if (type !== 'bigint' && type !== 'object') throw new TypeError("requires that 'this' be a BigInt");
    return bigIntText(bigIntOf(this), radixOf(values[0], 'radix must be an integer between 2 and 36'));
  },
});
