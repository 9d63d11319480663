// Date's setters: a value that is no number makes the date invalid, where the engine leaves it as it was.
// @ts-check
import { Date, Object, apply, defineProperty, filter, forEach, isNaN, method, startsWith } from 'jsrunner:host';

const { prototype } = Date;
const setTime = method(prototype.setTime);
const names = filter(Object.getOwnPropertyNames(prototype), (name) => startsWith(name, 'set')
  && name !== 'setTime' && name !== 'setYear');

forEach(names, (name) => {
  const set = prototype[name];
  const value = {
    [name](...values) {
      const result = apply(set, this, values);
      if (isNaN(result)) setTime(this, result);
      return result;
    },
  }[name];
  defineProperty(value, 'length', { __proto__: null, value: set.length, configurable: true });
  defineProperty(prototype, name, { __proto__: null, value, writable: true, configurable: true });
});
