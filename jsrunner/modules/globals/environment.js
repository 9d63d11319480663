// __ENV, __VU, __ITER, open, require and what else k6 puts into the global scope of a script.
// @ts-check
import { run, running } from 'jsrunner:commonjs';
import {
  Error, GoError, Map, Object, Proxy, String, context, defineProperty, describe, entries, forEach, host, keys, method, pop,
  push, unpack,
} from 'jsrunner:host';

const INIT_ONLY = 'function is only available in the init stage (i.e. the global scope), see '
  + 'https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information';

const scope = globalThis;
const { SyntaxError } = scope;
const define = (name, value) => defineProperty(scope, name, {
  __proto__: null, value, writable: true, configurable: true,
});

// A script may write to its __ENV, unless it is frozen; values become strings, and nobody else sees them.
const variables = host('environment.variables');
const frozen = host('environment.frozen');
const { freeze } = Object;
const publish = () => define('__ENV', frozen ? freeze({ ...variables }) : new Proxy(variables, {
  __proto__: null,
  set(target, key, value) {
    target[key] = String(value);
    return true;
  },
}));
publish();

/** Variables of a scenario lie over the others while the VU works for it. */
let overlaid = {};
entries.setEnvironment = (scenario) => {
  forEach(keys(overlaid), (key) => {
    if (overlaid[key] === undefined) delete variables[key];
    else variables[key] = overlaid[key];
  });
  overlaid = {};
  forEach(keys(scenario ?? {}), (key) => {
    overlaid[key] = variables[key];
    variables[key] = scenario[key];
  });
  if (frozen) publish();
};

define('__VU', host('environment.vu_number'));
define('__ITER', undefined);

const matchIn = method(String.prototype.match);

/** The files of the modules that are being called, the innermost first. */
const callers = () => matchIn(new Error().stack, /(?:file|https):.*?(?=:\d+:\d+\(\d+\)\)?\n)/g) ?? [];

define('open', (path, mode) => {
  if (!context.inInit) throw new GoError(`the "open" ${INIT_ONLY}`);
  const name = path === undefined || path === null ? '' : String(path);
  if (name === '') throw new GoError("open() can't be used with an empty filename");
  const files = callers();
  // k6 looks where the module that is being required lies, or else the outermost one.
  const outermost = running[running.length - 1] ?? files[files.length - 1] ?? null;
  return unpack(host('environment.open', name, mode === 'b', outermost, files[0] ?? null));
});

/** Namespaces by URL, put there by a module that Python evaluates. */
const required = new Map();
const setModule = method(Map.prototype.set);
const moduleOf = method(Map.prototype.get);
entries.required = (url, namespace) => setModule(required, url, namespace);

define('require', (specifier) => {
  if (!context.inInit) throw new GoError(`the "require" ${INIT_ONLY}`);
  const name = specifier === undefined || specifier === null ? '' : String(specifier);
  if (name === '') throw new GoError("require() can't be used with an empty specifier");
  const found = host('environment.find', name, callers()[0] ?? null);
  const kind = found[0];
  const url = found[1];
  push(running, url);
  try {
    const failed = host('environment.require', kind, url);
    if (failed) {
      const error = unpack(failed[1]);
      const unreadable = failed[0] === 'link' && error instanceof SyntaxError;
      throw unreadable ? new GoError(host('environment.syntax', describe(error))) : error;
    }
    if (kind === 'commonjs') return run(url);
  } finally {
    pop(running);
  }
  const namespace = moduleOf(required, url);
  return kind === 'builtin' && 'default' in namespace ? namespace.default : namespace;
});

const mixed = (name) => ({
  configurable: true,
  get() {
    throw new GoError(`you are trying to access identifier "${name}", this likely is due to mixing ECMAScript `
      + 'Modules (ESM) and CommonJS syntax. This isn\'t supported in the JavaScript standard, please use only '
      + 'one or the other');
  },
  set(value) {
    define(name, value);
  },
});
Object.defineProperties(globalThis, { module: mixed('module'), exports: mixed('exports') });

/** Load a module of ours that few scripts use, and that each VU would pay for. */
export const load = (specifier) => host('environment.load', specifier);

/** Members that few scripts use and each VU would pay for: the module that defines them is loaded late. */
export const later = (target, module, names, enumerable = false) => {
  forEach(names, (name) => {
    defineProperty(target, name, {
      __proto__: null,
      configurable: true,
      enumerable,
      get() {
        load(`jsrunner:globals/${module}`);
        return target[name];
      },
      set(value) {
        defineProperty(target, name, {
          __proto__: null, value, writable: true, enumerable, configurable: true,
        });
      },
    });
  });
};
later(globalThis, 'text', ['TextEncoder', 'TextDecoder']);
later(globalThis, 'webcrypto', ['crypto']);
