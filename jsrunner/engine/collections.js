// jsrunner:collections — primordials for maps and sets (see primordials.js).
// @ts-check
import { builtin, uncurried } from 'jsrunner:core';
import { ObjectDefineProperty, ObjectFreeze, constructors } from 'jsrunner:primordials';

export const {
  FinalizationRegistry, Map, Set, WeakRef,
} = constructors;
const { WeakMap } = constructors;
export const FinalizationRegistryPrototypeRegister = uncurried('FinalizationRegistry.prototype.register');
export const MapPrototypeForEach = uncurried('Map.prototype.forEach');
export const SetPrototypeForEach = uncurried('Set.prototype.forEach');

const ObjectSetPrototypeOf = builtin('Object.setPrototypeOf');

/** Give a class the methods of the built-in class that it extends, where scripts cannot replace them. */
const makeSafe = (Class, name, methods) => {
  const { prototype } = Class;
  for (let i = 0; i < methods.length; i += 1) {
    ObjectDefineProperty(prototype, methods[i], { __proto__: null, value: builtin(name + '.prototype.' + methods[i]) });
  }
  ObjectSetPrototypeOf(prototype, null);
};

export class SafeMap extends Map {
  constructor() { // eslint-disable-line no-useless-constructor -- the implied one would iterate
    super();
  }
}
makeSafe(SafeMap, 'Map', ['clear', 'delete', 'forEach', 'get', 'has', 'set']);
ObjectDefineProperty(SafeMap.prototype, 'size', { __proto__: null, get: builtin('Map.prototype.size') });
ObjectFreeze(SafeMap.prototype);

export class SafeWeakMap extends WeakMap {
  constructor() { // eslint-disable-line no-useless-constructor
    super();
  }
}
makeSafe(SafeWeakMap, 'WeakMap', ['get', 'set']);
ObjectFreeze(SafeWeakMap.prototype);
