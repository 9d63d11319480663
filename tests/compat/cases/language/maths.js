// Functions of Math to their last digit, for numbers that scripts have.
export default function () {
  const numbers = [0, 0.1, 0.25, 0.5, 0.7, 0.75, 1, 1.5, 2, 3, 5, 7, 10, 27, 45, 64, 100, 1000, 12345.678, -0.3, -1, -8, -27, Math.PI, Math.PI / 2, Math.PI / 3, Math.PI / 4, Math.E, 1e6];
  for (const name of ['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'cbrt', 'log', 'log2', 'log10', 'log1p', 'expm1', 'sqrt', 'trunc', 'sign', 'fround']) {
    console.log(name, numbers.map((n) => Math[name](n)).join(' '));
  }
  console.log(numbers.map((n) => Math.atan2(n, 2)).join(' '), numbers.map((n) => Math.atan2(-n, -3)).join(' '));
  console.log(numbers.map((n) => Math.hypot(n, 2)).join(' '), Math.hypot(3, 4, 12), Math.hypot(1, 2, 3), Math.hypot(), Math.hypot(-5), Math.hypot(NaN, Infinity), Math.hypot('3', '4'));
  console.log([-0, NaN, Infinity, -Infinity].map((n) => [Math.cbrt(n), Math.sin(n), Math.cos(n), Math.atan(n), Math.asin(n), Math.log2(n)].map((x) => (Object.is(x, -0) ? '-0' : x)).join()).join(' '));
  console.log(Math.sin(), Math.cbrt('8'), Math.log(undefined), Math.atan2(), Math.sin.length, Math.atan2.length, Math.hypot.length, Math.cbrt.name);
  const { sin, log10 } = Math;
  console.log(sin(2), log10(1000), log10(0.001), [1, 10, 100, 1e5, 1e15, 2, 20].map(Math.log10).join());
}
