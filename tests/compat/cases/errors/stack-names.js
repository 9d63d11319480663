// Whose names a stack has: functions, methods, accessors, constructors, functions of the language; and its first line.
class Named extends Error {
  constructor(message) {
    super(message);
    this.name = 'Named';
  }
}
class Derived extends Named {}
class Thing {
  constructor(fails) { if (fails) throw new Error('constructor'); }
  method() { throw new Error('method'); }
  get accessor() { throw new Error('getter'); }
  set accessor(value) { throw new Error('setter'); }
  static fixed() { throw new Error('static'); }
  ['comp' + 1]() { throw new Error('computed'); }
  * steps() { throw new Error('generator'); }
}
const object = {
  short() { throw new Error('short'); },
  arrow: () => { throw new Error('arrow'); },
  'two words': () => { throw new Error('quoted'); },
  get value() { throw new Error('value'); },
};
const list = [() => { throw new Error('in a list'); }];

const show = (error) => console.log(
  error.stack.replace(/file:.*?([\w-]+\.js):(\d+):\d+\(\d+\)/g, '$1:$2').trim().split('\n').join(' |'),
);
const caught = (call) => {
  try {
    call();
  } catch (error) {
    show(error);
  }
};

export default function () {
  show(new Named('x'));
  show(new Derived('y'));
  const renamed = new Error('m');
  renamed.name = 'Later';
  show(renamed);
  renamed.name = 'Too late';
  show(renamed);
  const thing = new Thing();
  caught(() => new Thing(true));
  caught(() => thing.method());
  caught(() => thing.accessor);
  caught(() => { thing.accessor = 1; });
  caught(() => Thing.fixed());
  caught(() => thing.comp1());
  caught(() => thing.steps().next());
  caught(() => object.short());
  caught(() => object.arrow());
  caught(() => object['two words']());
  caught(() => object.value);
  caught(() => list[0]());
  caught(() => [1].map(() => { throw new Error('in map'); }));
  caught(() => 'a'.replace(/a/, () => { throw new Error('in replace'); }));
  caught(() => JSON.parse('{'));
  caught(() => null.x);
  caught(() => object.short.call(1));
  caught(() => Reflect.apply(object.short, 1, []));
}
