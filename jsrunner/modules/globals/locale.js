// toLocaleString of dates and numbers as in k6: the locale is ignored, times have 24 hours, and the argument of a
// number's toLocaleString is a radix, as for toString.
// @ts-check
import { Date } from 'jsrunner:more_primordials';
import { MathTrunc, Number, StringPrototypeSlice, TypeError, uncurryThis } from 'jsrunner:primordials';
import { defineMethods } from 'jsrunner:values';

const { BigInt, RangeError } = globalThis;
const dayText = uncurryThis(Date.prototype.toLocaleDateString);
const timeText = uncurryThis(Date.prototype.toTimeString);
const numberText = uncurryThis(Number.prototype.toString);
const bigIntText = uncurryThis(BigInt.prototype.toString);
const bigIntOf = uncurryThis(BigInt.prototype.valueOf);

const INVALID = 'Invalid Date';

/** Return the time of a date as hh:mm:ss. */
const clock = (date) => {
  const text = timeText(date);
  return text === INVALID ? text : StringPrototypeSlice(text, 0, 8);
};

/** Return the first argument as a radix, 10 if it is undefined. Throws the complaint for other radixes. */
const radixOf = (radix, complaint) => {
  if (radix === undefined) return 10;
  const number = MathTrunc(Number(radix));
  if (!(number >= 2 && number <= 36)) throw new RangeError(complaint);
  return number;
};

defineMethods(Date.prototype, {
  __proto__: null,
  toLocaleString() {
    const day = dayText(this);
    return day === INVALID ? day : String(day) + ', ' + String(clock(this));
  },
  toLocaleTimeString() {
    return clock(this);
  },
});
defineMethods(Number.prototype, {
  __proto__: null,
  toLocaleString(...values) {
    return numberText(this, radixOf(values[0], 'toString() radix argument must be between 2 and 36'));
  },
});
defineMethods(BigInt.prototype, {
  __proto__: null,
  toLocaleString(...values) {
    const type = typeof this;
    if (type !== 'bigint' && type !== 'object') throw new TypeError("requires that 'this' be a BigInt");
    return bigIntText(bigIntOf(this), radixOf(values[0], 'radix must be an integer between 2 and 36'));
  },
});
