// What assignments say of constants, of variables before their declaration, of frozen objects.
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
    () => { const c = 1; c = 2; },
    () => { const c = 1; c += 2; },
    () => { const c = 1; c++; },
    () => { num = 2; },
    () => { num++; },
    () => { for (const i = 0; i < 2; i++) { } },
    () => { tdz; let tdz = 1; },
    () => { tdz(); let tdz = 1; },
    () => { tdz = 5; let tdz = 1; },
    () => { typeof tdz; let tdz = 1; },
    () => { const f = () => tdz; f(); const tdz = 1; },
    () => { new Klass(); class Klass {} },
    () => { const x = x + 1; },
    () => ((a = b, b = 1) => a)(),
    () => { switch (1) { case 0: let q = 1; break; case 1: q; } },
    () => { (function self() { self = 1; })(); },
    () => { class K { static f() { K = 1; } } K.f(); },
    () => { undefined = 1; },
    () => { NaN = 1; },
    () => { Infinity = 1; },
    () => { fz.a = 2; },
    () => { fz.b = 2; },
    () => { fz['a'] = 2; },
    () => { fz[str] = 2; },
    () => { fz.a++; },
    () => { delete fz.a; },
    () => { delete fz['a']; },
    () => { delete arr.length; },
    () => { delete Object.prototype; },
    () => { 'x'.y = 1; },
    () => { 'x'.length = 1; },
    () => { 'x'[0] = 1; },
    () => { (5).y = 1; },
    () => { sym.y = 1; },
    () => { Object.defineProperty(fz, 'b', { value: 1 }); },
    () => { Object.defineProperty(fz, 'a', { value: 2 }); },
    () => { Object.defineProperty(5, 'a', { value: 2 }); },
    () => { Object.defineProperty({}, 'a', 5); },
    () => { Object.defineProperty({}, 'a'); },
    () => { Object.defineProperty({}, 'a', { get: 5 }); },
    () => { Object.defineProperty({}, 'a', { set: 5 }); },
    () => { Object.defineProperty({}, 'a', { get() {}, value: 5 }); },
    () => { Object.defineProperties({}, null); },
    () => { Object.defineProperties(1, {}); },
    () => { Object.create(); },
    () => { Object.create(5); },
    () => { Object.create(und); },
    () => { Object.setPrototypeOf({}, 5); },
    () => { Object.setPrototypeOf(null, {}); },
    () => { Object.setPrototypeOf({}); },
    () => { Object.setPrototypeOf(fz, {}); },
    () => { const a = {}; const b = Object.create(a); Object.setPrototypeOf(a, b); },
    () => { fz.__proto__ = {}; },
    () => { ({ set x(v) { throw new Error('in setter'); } }).x = 1; },
    () => { ({ get x() { return 1; } }).x = 1; },
    () => { const o = {}; Object.defineProperty(o, 'r', { value: 1 }); o.r = 2; },
    () => { const o = {}; Object.defineProperty(o, 'r', { value: 1 }); delete o.r; },
    () => { const o = {}; Object.defineProperty(o, 'r', { value: 1 }); Object.defineProperty(o, 'r', { value: 2 }); },
    () => { Object.preventExtensions({}).x = 1; },
  ]);
}
