// Date's setters: a value that is no number makes the date invalid. The engine's own setters leave the date unchanged.
// @ts-check
import { Date } from 'jsrunner:more_primordials';
import {
  ArrayPrototypeFilter, NumberIsNaN, Object, ObjectDefineProperty, ReflectApply, StringPrototypeStartsWith, uncurryThis,
} from 'jsrunner:primordials';

const { prototype } = Date;
const setTime = uncurryThis(prototype.setTime);
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
