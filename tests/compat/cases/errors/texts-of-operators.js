// What operators and conversions say of operands that they cannot have; numbers and strings.
function texts(makers) {
  for (const make of makers) {
    try {
      make();
      console.log(`${make}: no error`);
    } catch (error) {
      console.log(`${error.name}: ${error.message}`);
    }
  }
}
const und = undefined;
const nul = null;
const num = 5;
const str = 'text';
const obj = { a: 1, u: undefined, o: {}, n: null, s: 'str' };
const arr = [1, 2];
const fz = Object.freeze({ a: 1 });
const sym = Symbol('desc');
const bool = true;
const big = 10n;
const fn = function named() {};
let lat;

export default function () {
  texts([
    () => 'a' in 'b',
    () => 'a' in 5,
    () => 'a' in und,
    () => 'a' in nul,
    () => sym in 5,
    () => ({}) instanceof 5,
    () => ({}) instanceof und,
    () => ({}) instanceof ({}),
    () => ({}) instanceof (() => {}),
    () => 1 instanceof null,
    () => ({}) instanceof obj.missing,
    () => 1n + 1,
    () => 1 + 1n,
    () => 1n * 1.5,
    () => 1n - 1,
    () => 1n / 0n,
    () => 1n % 0n,
    () => 2n ** -1n,
    () => 1n >>> 0n,
    () => +1n,
    () => 1n | 1,
    () => Math.max(1n),
    () => isNaN(1n),
    () => BigInt(1.5),
    () => BigInt('x'),
    () => BigInt('1.5'),
    () => BigInt(und),
    () => BigInt(nul),
    () => BigInt(NaN),
    () => BigInt(Infinity),
    () => BigInt.asIntN(-1, 1n),
    () => BigInt.asIntN(64, 1),
    () => JSON.stringify(1n),
    () => JSON.stringify({ a: { b: 1n } }),
    () => sym + '',
    () => `${sym}`,
    () => +sym,
    () => sym * 2,
    () => sym < 1,
    () => Number(sym),
    () => parseInt(sym),
    () => [sym].join(),
    () => 'x'.concat(sym),
    () => Math.abs(sym),
    () => Symbol.keyFor('x'),
    () => Symbol.prototype.toString.call(5),
    () => ({ [Symbol.toPrimitive]() { return {}; } }) + '',
    () => (1).toFixed(101),
    () => (1).toFixed(-1),
    () => (1).toPrecision(0),
    () => (1).toPrecision(101),
    () => (1).toExponential(-1),
    () => (1).toExponential(101),
    () => (1).toString(1),
    () => (1).toString(37),
    () => (1n).toString(1),
    () => Number.prototype.toString.call('x'),
    () => Number.prototype.valueOf.call('x'),
    () => Boolean.prototype.valueOf.call('x'),
    () => String.prototype.valueOf.call(5),
    () => BigInt.prototype.toString.call(5),
    () => 'x'.repeat(-1),
    () => 'x'.repeat(Infinity),
    () => 'x'.normalize('nope'),
    () => String.fromCodePoint(-1),
    () => String.fromCodePoint(1.5),
    () => String.fromCodePoint('x'),
    () => String.raw(),
    () => 'x'.startsWith(/x/),
    () => 'x'.includes(/x/),
    () => 'x'.endsWith(/x/),
    () => 'x'.matchAll(/x/),
    () => 'x'.replaceAll(/x/, 'y'),
    () => 'x'.localeCompare(sym),
    () => String.prototype.trim.call(null),
    () => String.prototype.split.call(und, ''),
    () => 'x'.at(sym),
    () => decodeURI('%'),
    () => decodeURIComponent('%zz'),
    () => decodeURIComponent('%ff'),
    () => encodeURI('\ud800'),
    () => encodeURIComponent('\udc00'),
  ]);
}
