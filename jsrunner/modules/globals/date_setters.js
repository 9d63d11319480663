// Date's setters: a value that is no number makes the date invalid. The engine's own setters leave the date unchanged.
// @ts-check
import { builtin, uncurried } from 'jsrunner:core';
import { ArrayPrototypeFilter } from 'jsrunner:lists';
import { Object, ObjectDefineProperty, ReflectApply, constructors } from 'jsrunner:primordials';
import { StringPrototypeStartsWith } from 'jsrunner:texts';

const { Date } = constructors;
const NumberIsNaN = builtin('Number.isNaN');

const { prototype } = Date;
const setTime = uncurried('Date.prototype.setTime');
const names = ArrayPrototypeFilter(Object.getOwnPropertyNames(prototype), (name) => StringPrototypeStartsWith(name, 'set')
  && name !== 'setTime' && name !== 'setYear');

for (let i = 0; i < names.length; i += 1) {
  const name = names[i];
  const set = prototype[name];
  const value = {
    __proto__: null,
    [name](...values) {
      const result = ReflectApply(set, this, values);
      if (NumberIsNaN(result)) setTime(this, result);
      return result;
    },
  }[name];
  ObjectDefineProperty(value, 'length', { __proto__: null, value: set.length, configurable: true });
  ObjectDefineProperty(prototype, name, { __proto__: null, value, writable: true, configurable: true });
}
