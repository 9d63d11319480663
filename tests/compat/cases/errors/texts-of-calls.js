// What calls, members and constructors that are not there say.
import http from 'k6/http';

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
    () => undeclared,
    () => undeclared(),
    () => undeclared.x,
    () => undeclared.x(),
    () => { undeclared = 1; },
    () => und(),
    () => nul(),
    () => num(),
    () => str(),
    () => obj(),
    () => arr(),
    () => bool(),
    () => sym(),
    () => big(),
    () => lat(),
    () => (5)(),
    () => ('x')(),
    () => ({})(),
    () => [](),
    () => (() => {})()(),
    () => fn()(),
    () => obj.a(),
    () => obj.u(),
    () => obj.o(),
    () => obj.n(),
    () => obj.s(),
    () => obj.missing(),
    () => obj['missing'](),
    () => obj[str](),
    () => obj[1](),
    () => obj[sym](),
    () => obj.o.deep(),
    () => obj.o.deep.er(),
    () => obj.missing.deep(),
    () => obj.missing.deep,
    () => obj.missing['deep'],
    () => obj.missing['deep'](),
    () => obj.missing[0],
    () => obj.missing[str],
    () => obj.missing[sym],
    () => obj.missing[obj],
    () => obj.missing[arr],
    () => obj.missing[1.5],
    () => obj.missing[und],
    () => obj?.missing.deep,
    () => obj?.missing(),
    () => obj?.missing.x(),
    () => obj.a?.(),
    () => http.nope(),
    () => http.get.nope(),
    () => arr.nope(),
    () => str.nope(),
    () => num.nope(),
    () => JSON.nope(),
    () => Math.nope(1),
    () => console.table([]),
    () => und.x,
    () => nul.x,
    () => und.x(),
    () => nul.x(),
    () => und[0],
    () => nul['x'],
    () => und['x'](),
    () => nul[sym],
    () => nul[0](),
    () => { und.x = 1; },
    () => { nul.x = 1; },
    () => { und['x'] = 1; },
    () => { und[0] = 1; },
    () => { nul[str] = 1; },
    () => { obj.missing.x = 1; },
    () => { obj.missing.x += 1; },
    () => { obj.missing.x++; },
    () => { delete und.x; },
    () => { delete nul['x']; },
    () => { delete obj.missing.x; },
    () => undefined.x,
    () => null.x,
    () => undefined(),
    () => null(),
    () => this.x,
    () => { (function () { return this.x; })(); },
    () => { (function () { this.x = 1; })(); },
    () => { (function () { this.x(); })(); },
    () => new und(),
    () => new nul(),
    () => new num(),
    () => new obj(),
    () => new obj.missing(),
    () => new obj.u(),
    () => new obj.a(),
    () => new obj.o(),
    () => new (() => {})(),
    () => { const arrow = () => {}; return new arrow(); },
    () => new Math.max(),
    () => new Symbol(),
    () => new BigInt(1),
    () => new parseInt('5'),
    () => new undeclared(),
    () => { const o = { m() {} }; return new o.m(); },
    () => new (async () => {})(),
    () => new (function* () {})(),
    () => new http.nope(),
    () => new JSON(),
    () => new Math(),
    () => new console.log(),
  ]);
}
