// Number.prototype.toString with a radix: all digits of large numbers and the last digit of fractions as in k6
// (https://github.com/grafana/sobek, ftoa/ftobasestr.go). Unlike k6, the sign of numbers between -1 and 0 is kept.
// @ts-check
import { DataView, MathTrunc, Number, ObjectDefineProperty, uncurryThis } from 'jsrunner:primordials';

const { ArrayBuffer, BigInt } = globalThis;
const { floor } = Math;
const numberText = uncurryThis(Number.prototype.toString);
const numberOf = uncurryThis(Number.prototype.valueOf);
const bigIntText = uncurryThis(BigInt.prototype.toString);
const setFloat = uncurryThis(DataView.prototype.setFloat64);
const bitsOf = uncurryThis(DataView.prototype.getBigUint64);

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';
const MANTISSA = (1n << 52n) - 1n;
const view = new DataView(new ArrayBuffer(8));

/** Return [mantissa, exponent] of a positive number, which is mantissa * 2 ** exponent. */
const parts = (number) => {
  setFloat(view, 0, number);
  const bits = bitsOf(view, 0);
  const exponent = bits >> 52n;
  return exponent === 0n ? [bits, -1074n] : [(bits & MANTISSA) | (1n << 52n), exponent - 1075n];
};

/** Return the digits behind the point: the fewest that distinguish the number from its neighbours. */
const fractionText = (number, fraction, radix) => {
  const all = parts(number);
  const isEven = (all[0] & 1n) === 0n;
  // Fixed point: 2 ** shift is 1. `more` is half the distance to the next number, `less` to the previous number.
  let shift = 1n - all[1];
  let less = 1n;
  let more = 1n;
  if (all[0] === 1n << 52n && all[1] > -1073n) {
    shift += 1n;
    more = 2n;
  }
  const one = 1n << shift;
  const own = parts(fraction);
  let rest = own[1] + shift < 0n ? own[0] >> -(own[1] + shift) : own[0] << (own[1] + shift);
  let text = '';
  for (;;) {
    rest *= radix;
    less *= radix;
    more *= radix;
    let digit = rest / one;
    rest %= one;
    const isAbove = rest > one - more;
    let isLast = true;
    if (rest === one - more && isEven) {
      if (rest > less) digit += 1n;
    } else if (rest < less || (rest === less && isEven)) {
      if (isAbove && rest * 2n > one) digit += 1n;
    } else if (isAbove) {
      digit += 1n;
    } else {
      isLast = false;
    }
    text += DIGITS[Number(digit)];
    if (isLast) return text;
  }
};

const exactText = (number, radix) => {
  const size = number < 0 ? -number : number;
  const whole = floor(size);
  const text = (number < 0 ? '-' : '') + bigIntText(BigInt(whole), radix);
  return whole === size ? text : text + '.' + fractionText(size, size - whole, BigInt(radix));
};

const methods = {
  toString(radix) {
    if (radix === undefined) return numberText(this);
    const number = numberOf(this);
    const base = MathTrunc(radix);
    const isPlain = (number % 1 === 0 && number < 2 ** 53 && number > -(2 ** 53)) || number - number !== 0;
    if (isPlain || !(base >= 2 && base <= 36) || base === 10 || (base & (base - 1)) === 0) return numberText(number, radix);
    return exactText(number, base);
  },
};
ObjectDefineProperty(Number.prototype, 'toString', {
  __proto__: null, value: methods.toString, writable: true, configurable: true,
});
