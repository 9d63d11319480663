// What functions of arrays and of objects say.
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
    () => new Array(-1),
    () => new Array(1.5),
    () => Array(-1),
    () => Array(2 ** 32),
    () => { [].length = -1; },
    () => { arr.length = 1.5; },
    () => { arr.length = 'x'; },
    () => [].reduce((a, b) => a),
    () => [].reduceRight((a, b) => a),
    () => [1].reduce(),
    () => [1].map(),
    () => [1].map(5),
    () => [1].map({}),
    () => [1].forEach(und),
    () => [1].forEach('text'),
    () => [1].filter(nul),
    () => [1].find(),
    () => [1].findIndex(obj),
    () => [1].findLast(),
    () => [1].some(5),
    () => [1].every(),
    () => [1].flatMap(),
    () => [1, 2].sort(5),
    () => [1, 2].sort({}),
    () => [1, 2].sort(null),
    () => [1, 2].toSorted(5),
    () => [1].with(5, 1),
    () => [1].at(sym),
    () => Array.prototype.map.call(null, (x) => x),
    () => Array.prototype.map.call(und, (x) => x),
    () => Array.prototype.forEach.call(null, (x) => x),
    () => Array.prototype.push.call(null),
    () => Array.prototype.push.call({ length: 2 ** 53 - 1 }, 1),
    () => [].concat.call(null),
    () => [].flat.call(null),
    () => [].includes.call(und),
    () => Object.freeze([1]).push(2),
    () => Object.freeze([1]).pop(),
    () => Object.freeze([3, 1]).sort(),
    () => Object.freeze([1]).shift(),
    () => Object.freeze([1]).splice(0, 1),
    () => { Object.freeze([1])[5] = 2; },
    () => { Object.preventExtensions([])[0] = 2; },
    () => { Object.getPrototypeOf(null); },
    () => { Object.getPrototypeOf(und); },
    () => { Object.getOwnPropertyNames(und); },
    () => { Object.getOwnPropertyDescriptor(und, 'x'); },
    () => { Object.prototype.hasOwnProperty.call(null, 'x'); },
    () => { Object.hasOwn(null, 'x'); },
    () => { Object.prototype.toLocaleString.call(null); },
    () => { Object.prototype.valueOf.call(null); },
    () => Reflect.construct(1),
    () => Reflect.construct(() => {}, []),
    () => Reflect.apply(1),
    () => Reflect.apply(fn),
    () => Reflect.ownKeys(1),
    () => Reflect.get(1, 'x'),
    () => Reflect.set(1, 'x', 1),
    () => Reflect.has(1, 'x'),
    () => Reflect.getPrototypeOf(1),
    () => Reflect.setPrototypeOf({}, 1),
    () => Reflect.defineProperty(1),
    () => Reflect.deleteProperty(1),
    () => Reflect.getOwnPropertyDescriptor(1, 'x'),
    () => Reflect.isExtensible(1),
    () => Reflect.preventExtensions(1),
  ]);
}
