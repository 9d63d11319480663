// jsrunner:commonjs — modules that are a function of `module` and `exports`, each run once;
// import.meta and import() of ES modules.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import {
  ArrayPrototypeSort, FunctionPrototypeCall, Object, ObjectCreate, ObjectDefineProperty, ObjectKeys,
  ObjectPreventExtensions, ObjectPrototype, SafeArray, SafeMap, String, SymbolToStringTag, TypeError,
} from 'jsrunner:primordials';
import { asText } from 'jsrunner:values';

/** The code of each module by its URL. */
const bodies = new SafeMap();
/** Modules that have run or are running: their exports, and the exceptions that ended them. */
const instances = new SafeMap();

export const define = (url, list) => bodies.set(url, list[0]);

/** The modules that are being run by require(), the innermost last: open() is relative to it. */
export const running = SafeArray();

/** Return the exports of a module; of a running module, its exports so far. */
export const run = (url) => {
  const known = instances.get(url);
  if (known) {
    if (known.failure) throw known.failure[0];
    return known.exports;
  }
  const module = { exports: ObjectCreate(ObjectPrototype) };
  const instance = { exports: module.exports, failure: undefined };
  instances.set(url, instance);
  try {
    FunctionPrototypeCall(bodies.get(url), module.exports, module, module.exports);
    if (module.exports === null) throw new GoError("CommonJS's exports must not be null");
    if (module.exports === undefined) throw new TypeError('Cannot convert undefined or null to object');
  } catch (error) {
    instance.failure = [error];
    throw error;
  }
  instance.exports = Object(module.exports);
  return instance.exports;
};

/** Return the member that an ES module imports; `default` means all exports if no export has that name. */
export const member = (exports, name) => (name === 'default' && !('default' in exports) ? exports : exports[name]);

/** Return the object of `import * as name`: the named exports only. */
export const namespace = (exports) => {
  const result = ObjectCreate(null, { __proto__: null, [SymbolToStringTag]: { __proto__: null, value: 'Module' } });
  const names = ArrayPrototypeSort(ObjectKeys(exports));
  for (let i = 0; i < names.length; i += 1) {
    ObjectDefineProperty(result, names[i], { __proto__: null, enumerable: true, get: () => exports[names[i]] });
  }
  return ObjectPreventExtensions(result);
};

/** Return the `import.meta` of a module. */
export const metaOf = (url) => ({
  __proto__: null,
  resolve: (specifier) => host('environment.resolve', asText(specifier), url),
});

/** Throw k6's error for `import()`, which k6 lacks. */
export const dynamic = async (specifier) => {
  String(specifier);
  throw 'dynamic modules not enabled in the host program';
};
