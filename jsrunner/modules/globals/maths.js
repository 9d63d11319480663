// Functions of Math with k6's results to the last bit. k6 has Go's functions, which come from Cephes (sine, cosine,
// tangent and their inverses; https://www.netlib.org/cephes/) and from FreeBSD's msun (cube root, logarithm; by
// permission of Sun Microsystems, 1993). For about one argument in five the C library's result has another last digit.
// @ts-check
import {
  ArrayPrototypeMap, ArrayPrototypePush, MathTrunc, Number, NumberIsNaN, ObjectDefineProperty, ObjectKeys, ReflectApply,
  SafeArray,
} from 'jsrunner:primordials';

const { BigUint64Array, Float64Array, Math } = globalThis;
const {
  LOG10E, LOG2E, PI, SQRT1_2, abs, atan2: nativeAtan2, cos: nativeCos, sin: nativeSin, sqrt, tan: nativeTan,
} = Math;

const double = new Float64Array(1);
const bits = new BigUint64Array(double.buffer);

const bitsOf = (number) => {
  double[0] = number;
  return bits[0];
};
const fromBits = (value) => {
  bits[0] = value;
  return double[0];
};

/** Split a positive finite number into a fraction (at least 0.5, below 1) and an exponent. */
const split = (number) => {
  const scaled = number < 2.2250738585072014e-308 ? number * 2 ** 52 : number;
  const value = bitsOf(scaled);
  const exponent = Number(value >> 52n) - 1022 - (scaled === number ? 0 : 52);
  return { fraction: fromBits((value & 0xfffffffffffffn) | (1022n << 52n)), exponent };
};

/** Return the value of a polynomial. The first coefficient is that of the highest power. */
const polynomial = (x, coefficients) => {
  let sum = coefficients[0];
  for (let i = 1; i < coefficients.length; i += 1) sum = sum * x + coefficients[i];
  return sum;
};

// -- sine, cosine, tangent (Cephes: sin.c, tan.c) --------------------------------------------------

const SIN = [
  1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6, -1.98412698295895385996e-4,
  8.33333333332211858878e-3, -1.66666666666666307295e-1,
];
const COS = [
  -1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7, 2.48015872888517045348e-5,
  -1.38888888888730564116e-3, 4.16666666666665929218e-2,
];
const TAN_P = [-1.30936939181383734205e4, 1.15351664838587416140e6, -1.79565251976484877988e7];
const TAN_Q = [
  1, 1.36812963470692954678e4, -1.32089234440210967447e6, 2.50083801823357915839e7, -5.38695755929454629881e7,
];
/** The limit of arguments. Larger ones cannot be reduced exactly here, and the C library computes their results. */
const LARGE = 2 ** 29;

/** Reduce a non-negative number. Return its octant, and the remainder within a quarter of pi. */
const reduce = (x) => {
  let octant = MathTrunc(x * (4 / PI));
  if (octant % 2) octant += 1;
  const rest = ((x - octant * 7.85398125648498535156e-1) - octant * 3.77489470793079817668e-8)
    - octant * 2.69515142907905952645e-15;
  return { octant: octant % 8, rest };
};
const cosine = (z) => {
  const square = z * z;
  return 1 - 0.5 * square + square * square * polynomial(square, COS);
};
const sine = (z) => {
  const square = z * z;
  return z + z * square * polynomial(square, SIN);
};

const sin = (x) => {
  const size = abs(x);
  if (x === 0 || !(size < LARGE)) return nativeSin(x);
  const { octant, rest } = reduce(size);
  const isNegative = (x < 0) !== (octant > 3);
  const value = octant % 4 === 2 ? cosine(rest) : sine(rest);
  return isNegative ? -value : value;
};

const cos = (x) => {
  const size = abs(x);
  if (!(size < LARGE)) return nativeCos(x);
  const { octant, rest } = reduce(size);
  const isNegative = octant === 2 || octant === 4;
  const value = octant % 4 === 2 ? sine(rest) : cosine(rest);
  return isNegative ? -value : value;
};

const tan = (x) => {
  const size = abs(x);
  if (x === 0 || !(size < LARGE)) return nativeTan(x);
  const { octant, rest } = reduce(size);
  const square = rest * rest;
  const value = square > 1e-14
    ? rest + rest * (square * polynomial(square, TAN_P) / polynomial(square, TAN_Q)) : rest;
  const turned = octant % 4 === 2 ? -1 / value : value;
  return x < 0 ? -turned : turned;
};

// -- their inverses (Cephes: atan.c, asin.c) -------------------------------------------------------

const ATAN_P = [
  -8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1, -1.228866684490136173410e2,
  -6.485021904942025371773e1,
];
const ATAN_Q = [
  1, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2, 4.853903996359136964868e2,
  1.945506571482613964425e2,
];
const MORE_BITS = 6.123233995736765886130e-17;

const atanSmall = (x) => {
  const square = x * x;
  return x * (square * polynomial(square, ATAN_P) / polynomial(square, ATAN_Q)) + x;
};
const atanPositive = (x) => {
  if (x <= 0.66) return atanSmall(x);
  if (x > 2.41421356237309504880) return PI / 2 - atanSmall(1 / x) + MORE_BITS;
  return PI / 4 + atanSmall((x - 1) / (x + 1)) + 0.5 * MORE_BITS;
};

const atan = (x) => {
  if (x === 0) return x;
  return x > 0 ? atanPositive(x) : -atanPositive(-x);
};

const asin = (x) => {
  const size = abs(x);
  if (x === 0 || !(size <= 1)) return x === 0 ? x : NaN;
  const other = sqrt(1 - size * size);
  const value = size > 0.7 ? PI / 2 - atanPositive(other / size) : atanPositive(size / other);
  return x < 0 ? -value : value;
};

const acos = (x) => PI / 2 - asin(x);

const atan2 = (y, x) => {
  const isSpecial = !(abs(x) < Infinity) || !(abs(y) < Infinity) || x === 0 || y === 0;
  if (isSpecial) return nativeAtan2(y, x);
  const value = atan(y / x);
  if (x > 0) return value;
  return value <= 0 ? value + PI : value - PI;
};

// -- roots, logarithms, powers ---------------------------------------------------------------------

/** Return the cube root (FreeBSD: s_cbrt.c). */
const cbrt = (x) => {
  if (x === 0 || !(abs(x) < Infinity)) return x;
  const size = abs(x);
  let root = fromBits(bitsOf(size) / 3n + (715094163n << 32n));
  if (size < 2.22507385850720138309e-308) root = fromBits(bitsOf(size * 2 ** 54) / 3n + (696219795n << 32n));
  const ratio = root * root / size;
  const sum = 5.42857142857142815906e-1 + ratio * root;
  root *= 3.57142857142857150787e-1 + 1.60714285714285720630
    / (sum + 1.41428571428571436819 + -7.05306122448979611050e-1 / sum);
  root = fromBits((bitsOf(root) & (0xFFFFFFFFCn << 28n)) + (1n << 30n));
  const rest = size / (root * root);
  root += root * ((rest - root) / (root + root + rest));
  return x < 0 ? -root : root;
};

/** Return the square root of the sum of squares: values divided by the greatest, summed by Kahan's algorithm. */
const hypot = (...values) => {
  const sizes = SafeArray();
  let most = 0;
  let isNumber = true;
  for (let i = 0; i < values.length; i += 1) {
    const size = abs(values[i]);
    if (NumberIsNaN(size)) isNumber = false;
    else if (size > most) most = size;
    ArrayPrototypePush(sizes, size);
  }
  if (most === Infinity) return Infinity;
  if (!isNumber) return NaN;
  if (most === 0) return 0;
  let sum = 0;
  let compensation = 0;
  for (let i = 0; i < sizes.length; i += 1) {
    const share = sizes[i] / most;
    const summand = share * share - compensation;
    const preliminary = sum + summand;
    compensation = (preliminary - sum) - summand;
    sum = preliminary;
  }
  return sqrt(sum) * most;
};

/** Return the natural logarithm (FreeBSD: e_log.c). */
const log = (x) => {
  if (NumberIsNaN(x) || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  let { fraction, exponent } = split(x);
  if (fraction < SQRT1_2) {
    fraction *= 2;
    exponent -= 1;
  }
  const f = fraction - 1;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const odd = s2 * (6.666666666666735130e-1
    + s4 * (2.857142874366239149e-1 + s4 * (1.818357216161805012e-1 + s4 * 1.479819860511658591e-1)));
  const even = s4 * (3.999999999940941908e-1 + s4 * (2.222219843214978396e-1 + s4 * 1.531383769920937332e-1));
  const half = 0.5 * f * f;
  return exponent * 6.93147180369123816490e-1
    - ((half - (s * (half + odd + even) + exponent * 1.90821492927058770002e-10)) - f);
};

const log2 = (x) => {
  if (!(x > 0 && x < Infinity)) return log(x);
  const { fraction, exponent } = split(x);
  return fraction === 0.5 ? exponent - 1 : log(fraction) * LOG2E + exponent;
};

const log10 = (x) => log(x) * LOG10E;

const toNumber = (value) => +value;

const functions = {
  __proto__: null, acos, asin, atan, atan2, cbrt, cos, hypot, log, log10, log2, sin, tan,
};
const names = ObjectKeys(functions);
for (let i = 0; i < names.length; i += 1) {
  const name = names[i];
  const value = {
    __proto__: null,
    [name]: (...values) => ReflectApply(functions[name], undefined, ArrayPrototypeMap(values, toNumber)),
  }[name];
  ObjectDefineProperty(value, 'length', { __proto__: null, value: Math[name].length, configurable: true });
  ObjectDefineProperty(Math, name, { __proto__: null, value, writable: true, configurable: true });
}
