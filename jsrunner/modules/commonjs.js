// jsrunner:commonjs — modules that are a function of `module` and `exports`, each run once;
// what ES modules have for import.meta and import().
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
/** What has run, or runs: its exports, and the exception that it ended with. */
const instances = new SafeMap();

export const define = (url, list) => bodies.set(url, list[0]);

/** The modules that are being run by require(), the innermost last: open() is relative to it. */
export const running = SafeArray();

/** What a module exports. One that runs still has exported what it has exported so far. */
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

/** What an ES module gets by a name: by `default` all exports, unless one of them has that name. */
export const member = (exports, name) => (name === 'default' && !('default' in exports) ? exports : exports[name]);

/** What an ES module gets by `import * as name`: only what is there by a name. */
export const namespace = (exports) => {
  const result = ObjectCreate(null, { __proto__: null, [SymbolToStringTag]: { __proto__: null, value: 'Module' } });
  const names = ArrayPrototypeSort(ObjectKeys(exports));
  for (let i = 0; i < names.length; i += 1) {
    ObjectDefineProperty(result, names[i], { __proto__: null, enumerable: true, get: () => exports[names[i]] });
  }
  return ObjectPreventExtensions(result);
};

/** What a module has for `import.meta`. */
export const metaOf = (url) => ({
  __proto__: null,
  resolve: (specifier) => host('environment.resolve', asText(specifier), url),
});

/** What `import()` is: k6 has none. */
export const dynamic = async (specifier) => {
  String(specifier);
  throw 'dynamic modules not enabled in the host program';
};
