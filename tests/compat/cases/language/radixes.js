// Number.prototype.toString with a radix: large numbers, fractions, edges; radixes of all kinds.
export default function () {
  const numbers = [0.1, 0.5, 1 / 3, 1.5, 2.5, 123.456, -255.5, -3.7, 1e-7, 1e-300, 5e-324, 2.2250738585072014e-308, 2 ** 52 + 1, 2 ** 53, 2 ** 53 + 2, 2 ** 60, 1e20, 1e21, 123456789012345680000, -1e30, 1e100,
    1.7976931348623157e308, 4503599627370495.5, 1024.5, 8191.999, 1 - 2 ** -53, 1 + 2 ** -52, NaN, Infinity, -Infinity, 0, -0];
  for (const number of numbers) console.log(number, [2, 3, 5, 7, 10, 11, 16, 32, 36].map((radix) => number.toString(radix)).join(' '));
  for (const radix of [undefined, '7', 7.9, [5], null, 1, 37, NaN, 'x']) {
    try {
      console.log((2.5).toString(radix), (1e21).toString(radix));
    } catch (e) {
      console.log(String(e));
    }
  }
}
