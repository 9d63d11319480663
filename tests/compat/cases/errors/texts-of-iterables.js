// What loops, spreads and patterns say of what is no iterable, no object.
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
    () => { for (const x of 5) { } },
    () => { for (const x of und) { } },
    () => { for (const x of nul) { } },
    () => { for (const x of obj) { } },
    () => { for (const x of obj.missing) { } },
    () => [...5],
    () => [...und],
    () => [...nul],
    () => [...obj],
    () => Math.max(...5),
    () => Math.max(...und),
    () => Math.max(...nul),
    () => Math.max(...obj),
    () => { const [x] = und; },
    () => { const [x] = nul; },
    () => { const [x] = 5; },
    () => { const [x] = obj; },
    () => { const [x] = obj.missing; },
    () => { const { x } = und; },
    () => { const { x } = nul; },
    () => { const { x, y } = obj.missing; },
    () => { const { x: { y } } = obj; },
    () => { const { o: { y: { z } } } = obj; },
    () => { const { [str]: x } = und; },
    () => { const { ...x } = und; },
    () => { const { ...x } = nul; },
    () => { const {} = nul; },
    () => { const {} = und; },
    () => { const { x = 1 } = und; },
    () => { let x; ({ x } = nul); },
    () => { let x; [x] = nul; },
    () => (({ x }) => x)(),
    () => (({ x }) => x)(null),
    () => (([x]) => x)(),
    () => (([x]) => x)(null),
    () => { function f({ a, b }) {} f(); },
    () => { for (const { x } of [null]) { } },
    () => { for (const [x] of [1]) { } },
    () => { for (const [k, v] of Object.entries(null)) { } },
    () => Object.entries(und),
    () => Object.keys(nul),
    () => Object.keys(und),
    () => Object.values(und),
    () => Object.assign(null),
    () => Object.assign(und, {}),
    () => Object.fromEntries(5),
    () => Object.fromEntries(null),
    () => Object.fromEntries([1]),
    () => Object.fromEntries(),
    () => Array.from(null),
    () => Array.from(und),
    () => Array.from([1], 5),
    () => [...{ [Symbol.iterator]() { return {}; } }],
    () => { function* g() { yield* 5; } [...g()]; },
    () => { function* g() { yield* und; } [...g()]; },
  ]);
}
