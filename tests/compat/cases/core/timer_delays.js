// What setTimeout and setInterval take for a delay.
const DELAYS = [1e18, 9223372036855, Infinity, -5, 'x', '1e30', null, {}, [], 10n, Symbol('s')];

export default function () {
  DELAYS.forEach((delay, at) => {
    for (const [start, stop] of [[setTimeout, clearTimeout], [setInterval, clearInterval]]) {
      try {
        stop(start(() => {}, delay));
        console.log(at, 'accepted');
      } catch (error) {
        console.log(at, String(error));
      }
    }
  });
}
