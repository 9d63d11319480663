// jsrunner:objects — objects for scripts that cannot change, or that look like built-in ones.
// @ts-check
import { ObjectDefineProperty, ObjectFreeze, ObjectKeys } from 'jsrunner:primordials';
import { isObject } from 'jsrunner:values';

/** Freeze a value and, recursively, its members. */
export const freezeDeep = (value) => {
  if (!isObject(value)) return value;
  const names = ObjectKeys(value);
  for (let i = 0; i < names.length; i += 1) freezeDeep(value[names[i]]);
  return ObjectFreeze(value);
};

/** Define methods of a built-in object: writable, configurable, not enumerable. */
export const defineMethods = (object, methods) => {
  const names = ObjectKeys(methods);
  for (let i = 0; i < names.length; i += 1) {
    ObjectDefineProperty(object, names[i], {
      __proto__: null, value: methods[names[i]], writable: true, configurable: true,
    });
  }
};
