// What classes say: constructors, super, private members, accessors.
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
const obj = { a: 1 };
class A {}
class B extends A { constructor() { } }
class B2 extends A { constructor() { super(); super(); } }
class B3 extends A { constructor() { this.x = 1; super(); } }
class B4 extends A { constructor() { return 5; } }
class G { get only() { return 1; } static get so() { return 1; } }
class P {
  #f = 1;
  #m() { return 1; }
  get #g() { return 1; }
  set #s(v) { }
  static f(o) { return o.#f; }
  static wf(o) { o.#f = 2; }
  static m(o) { return o.#m(); }
  static g(o) { return o.#g; }
  static s(o) { return o.#s; }
  static ws(o) { o.#s = 1; }
  static wm(o) { o.#m = 1; }
  static has(o) { return #f in o; }
  static inc(o) { o.#f++; }
  static callf(o) { return o.#f(); }
  static del(o) { return o.#f.x.y; }
}

export default function () {
  texts([
    () => new B2(),
    () => new B3(),
    () => new B4(),
    () => { new A().g = 5; },
    () => { new G().only = 5; },
    () => { G.so = 5; },
    () => { class C extends 5 {} },
    () => { class C extends und {} },
    () => { class C extends obj {} },
    () => { class C extends (() => {}) {} },
    () => { class C extends Object.assign(function () {}, { prototype: 5 }) {} },
    () => { function F() {} F.prototype = 5; class C extends F {} },
    () => { class C extends null {} new C(); },
    () => { class C extends null { constructor() { super(); } } new C(); },
    () => { class C { constructor() { super.x(); } } new C(); },
    () => { class C { m() { super.x.y; } } new C().m(); },
    () => { class C { static [und.x] = 1; } },
    () => { class C { static x = und.y; } },
    () => { class C { x = und.y; } new C(); },
    () => { class C { m() { this.nope(); } } new C().m(); },
    () => { class C { m() { this.a.b.c; } } new C().m(); },
    () => { class C { static m() { this.nope(); } } C.m(); },
    () => { class C { m() { super.nope(); } } new C().m(); },
    () => P.f({}),
    () => P.f(5),
    () => P.f(und),
    () => P.f(nul),
    () => P.f('s'),
    () => P.f(P),
    () => P.wf({}),
    () => P.wf(5),
    () => P.wf(und),
    () => P.m({}),
    () => P.m(5),
    () => P.m(und),
    () => P.g({}),
    () => P.g(und),
    () => P.s(new P()),
    () => P.ws({}),
    () => P.wm(new P()),
    () => P.has(5),
    () => P.has(und),
    () => P.inc({}),
    () => P.callf(new P()),
    () => P.del(new P()),
  ]);
}
