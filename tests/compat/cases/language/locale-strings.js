// toLocaleString of everything, toString of dates: no locale changes them.
const attempt = (f) => {
  try {
    return f();
  } catch (e) {
    return e.name;
  }
};

export default function () {
  for (const date of [new Date(0), new Date(1719829230456), new Date(-1), new Date(8.64e15), new Date(NaN)]) {
    console.log([date.toLocaleString(), date.toLocaleDateString(), date.toLocaleTimeString(), date.toLocaleString('de-DE', { timeZone: 'UTC' }), date.toLocaleTimeString('en-US', { hour: '2-digit' })].join(' | '));
    console.log([date.toString(), date.toTimeString(), date.toDateString(), date.toUTCString(), `${date}`, date + 1].join(' | '));
  }
  console.log([0, -0, 1234567.891, 1e21, NaN, -Infinity].map((n) => n.toLocaleString()).join(' '), (255).toLocaleString(16), (255).toLocaleString('2'), 255n.toLocaleString(36), 12345678901234567890n.toLocaleString());
  console.log(attempt(() => (5).toLocaleString('en-US')), attempt(() => (5).toLocaleString('de', { style: 'percent' })), attempt(() => 5n.toLocaleString('en')), attempt(() => (5).toLocaleString(null)), attempt(() => BigInt.prototype.toLocaleString.call('5')));
  console.log([1, 2.5, new Date(0), null, undefined, 'x', 10n].toLocaleString(), new Float32Array([1.5, 2]).toLocaleString(), { toString: () => 'own' }.toLocaleString(), true.toLocaleString());
  console.log(BigInt.asUintN(64, -1n), BigInt.asUintN(8, -1n), BigInt.asUintN(64, -(2n ** 63n)), BigInt.asUintN(128, -5n), BigInt.asIntN(64, 2n ** 63n), BigInt.asUintN(0, 7n));
}
