// __ENV, __VU, __ITER, open, require and what else k6 puts into the global scope of a script.
// @ts-check
import { run, running } from 'jsrunner:commonjs';
import { context } from 'jsrunner:context';
import { importNow } from 'jsrunner:core';
import { GoError, describe } from 'jsrunner:errors';
import { entries, host } from 'jsrunner:host';
import { defineGlobal } from 'jsrunner:language';
import {
  ArrayPrototypePop, ArrayPrototypePush, Error, JSONStringify, ObjectDefineProperty, ObjectFreeze, ObjectHasOwn,
  ObjectKeys, Proxy, ReflectDefineProperty, RegExpPrototypeExec, SafeArray, SafeMap, String, SyntaxError, TypeError,
  globalThis, isInstance,
} from 'jsrunner:primordials';
import { asText, setOwn } from 'jsrunner:values';

const INIT_ONLY = 'function is only available in the init stage (i.e. the global scope), see '
  + 'https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information';

// A script may write to its __ENV, unless it is frozen; values become strings, and nobody else sees them.
const variables = host('environment.variables');
const frozen = host('environment.frozen');
const publish = () => defineGlobal('__ENV', frozen ? ObjectFreeze({ ...variables }) : new Proxy(variables, {
  __proto__: null,
  set(target, key, value) {
    setOwn(target, key, String(value));
    return true;
  },
}));
publish();

/** Variables of a scenario lie over the others while the VU works for it. */
let overlaid = { __proto__: null };
entries.setEnvironment = (scenario) => {
  const covered = ObjectKeys(overlaid);
  for (let i = 0; i < covered.length; i += 1) {
    if (overlaid[covered[i]] === undefined) delete variables[covered[i]];
    else setOwn(variables, covered[i], overlaid[covered[i]]);
  }
  overlaid = { __proto__: null };
  const names = scenario ? ObjectKeys(scenario) : [];
  for (let i = 0; i < names.length; i += 1) {
    overlaid[names[i]] = ObjectHasOwn(variables, names[i]) ? variables[names[i]] : undefined;
    setOwn(variables, names[i], scenario[names[i]]);
  }
  if (frozen) publish();
};

defineGlobal('__VU', host('environment.vu_number'));

/** The files of the modules that are being called, the innermost first. */
const callers = () => {
  const { stack } = new Error();
  const place = /(?:file|https):.*?(?=:\d+:\d+\(\d+\)\)?\n)/g;
  const files = SafeArray();
  for (let found = RegExpPrototypeExec(place, stack); found; found = RegExpPrototypeExec(place, stack)) {
    ArrayPrototypePush(files, found[0]);
  }
  return files;
};

defineGlobal('open', (path, mode) => {
  if (!context.inInit) throw new GoError('the "open" ' + INIT_ONLY);
  const name = asText(path);
  if (name === '') throw new GoError("open() can't be used with an empty filename");
  const files = callers();
  // k6 looks where the module that is being required lies, or else the outermost one.
  const outermost = running[running.length - 1] ?? files[files.length - 1] ?? null;
  return host('environment.open', name, mode === 'b', outermost, files[0] ?? null);
});

/** The modules that were required, by URL: undefined for a CommonJS module, which `run` knows. */
const required = new SafeMap();

/** What require() throws for a module that could not be loaded: k6 has words of its own for what is no code. */
const failure = (error, wasLinked) => {
  host('environment.check');
  const isUnreadable = !wasLinked && isInstance(SyntaxError, error);
  throw isUnreadable ? new GoError(host('environment.syntax', describe(error))) : error;
};

const requireModule = (kind, url) => {
  if (required.has(url)) return required.get(url);
  const text = kind === 'commonjs' ? host('environment.wrapper', url)
    : 'export * as namespace from ' + JSONStringify(url) + ';';
  const { namespace } = importNow(text, 'jsrunner:require/' + url, failure);
  required.set(url, namespace);
  return namespace;
};

defineGlobal('require', (specifier) => {
  if (!context.inInit) throw new GoError('the "require" ' + INIT_ONLY);
  const name = asText(specifier);
  if (name === '') throw new GoError("require() can't be used with an empty specifier");
  const found = host('environment.find', name, callers()[0] ?? null);
  const kind = found[0];
  const url = found[1];
  ArrayPrototypePush(running, url);
  try {
    const namespace = requireModule(kind, url);
    if (kind === 'commonjs') return run(url);
    if (kind !== 'builtin' || !('default' in namespace)) return namespace;
    return url === 'k6/secrets' ? { default: namespace.default, __esModule: true } : namespace.default;
  } finally {
    ArrayPrototypePop(running);
  }
});

const mixed = (name) => ObjectDefineProperty(globalThis, name, {
  __proto__: null,
  configurable: true,
  get() {
    throw new GoError('you are trying to access identifier "' + name + '", this likely is due to mixing ECMAScript '
      + 'Modules (ESM) and CommonJS syntax. This isn\'t supported in the JavaScript standard, please use only '
      + 'one or the other');
  },
  set(value) {
    defineGlobal(name, value);
  },
});
mixed('module');
mixed('exports');

/** The namespace of a module of ours that few scripts use, and that each VU would pay for. */
export const load = (specifier) => importNow("export * from '" + specifier + "';", 'jsrunner:load/' + specifier, (error) => {
  throw error;
});

/**
 * Members that few scripts use and each VU would pay for: the first use loads the module that exports them.
 * A script may have frozen their object.
 */
export const later = (target, module, names, writable) => {
  let members;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const define = (value) => ReflectDefineProperty(target, name, {
      __proto__: null, value, writable, enumerable: true, configurable: writable,
    });
    const get = () => {
      members ??= load('jsrunner:globals/' + module);
      define(members[name]);
      return members[name];
    };
    const set = (value) => {
      if (writable) define(value);
      else throw new TypeError("Cannot assign to read only property '" + name + "'");
    };
    ObjectDefineProperty(target, name, { __proto__: null, get, set, enumerable: true, configurable: true });
  }
};
later(globalThis, 'text', ['TextEncoder', 'TextDecoder'], true);
later(globalThis, 'webcrypto', ['crypto'], true);
