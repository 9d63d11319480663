import { host } from 'jsrunner:core';
import 'jsrunner:language';
const methods = new Set();
const accessors = new Set();
const seen = new Set();
const visit = (prototype) => {
  if (prototype === null || seen.has(prototype)) return;
  seen.add(prototype);
  for (const key of Reflect.ownKeys(prototype)) {
    const { value, get } = Object.getOwnPropertyDescriptor(prototype, key);
    if (typeof key === 'string' && get) accessors.add(key);
    if (typeof key === 'string' && typeof value === 'function' && key !== 'constructor') methods.add(key);
  }
  visit(Object.getPrototypeOf(prototype));
};
const names = Object.getOwnPropertyNames(globalThis);
for (const name of names) {
  const value = globalThis[name];
  if (typeof value === 'function' && value.prototype) visit(value.prototype);
}
host('survey', names, [...methods], [...accessors]);
