// __ENV, __VU, __ITER, open, require and what else k6 puts into the global scope of a script.
// @ts-check
import { run, running } from 'jsrunner:commonjs';
import { GoError, context, describe, entries, host, unpack } from 'jsrunner:host';

const INIT_ONLY = 'function is only available in the init stage (i.e. the global scope), see '
  + 'https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information';

const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });

// A script may write to its __ENV, unless it is frozen; values become strings, and nobody else sees them.
const variables = host('environment.variables');
const frozen = host('environment.frozen');
const publish = () => define('__ENV', frozen ? Object.freeze({ ...variables }) : new Proxy(variables, {
  set(target, key, value) {
    target[key] = String(value);
    return true;
  },
}));
publish();

/** Variables of a scenario lie over the others while the VU works for it. */
let overlaid = {};
entries.setEnvironment = (scenario) => {
  for (const [key, value] of Object.entries(overlaid)) {
    if (value === undefined) delete variables[key];
    else variables[key] = value;
  }
  overlaid = {};
  for (const [key, value] of Object.entries(scenario ?? {})) {
    overlaid[key] = variables[key];
    variables[key] = value;
  }
  if (frozen) publish();
};

define('__VU', host('environment.vu_number'));
define('__ITER', undefined);

/** The files of the modules that are being called, the innermost first. */
const callers = () => new Error().stack.match(/(?:file|https):.*?(?=:\d+:\d+\(\d+\)\)?\n)/g) ?? [];

define('open', (path, mode) => {
  if (!context.inInit) throw new GoError(`the "open" ${INIT_ONLY}`);
  const name = path === undefined || path === null ? '' : String(path);
  if (name === '') throw new GoError("open() can't be used with an empty filename");
  const files = callers();
  // k6 looks where the module that is being required lies, or else the outermost one.
  const outermost = running.at(-1) ?? files.at(-1) ?? null;
  return unpack(host('environment.open', name, mode === 'b', outermost, files[0] ?? null));
});

/** Namespaces by URL, put there by a module that Python evaluates. */
const required = new Map();
entries.required = (url, namespace) => required.set(url, namespace);

define('require', (specifier) => {
  if (!context.inInit) throw new GoError(`the "require" ${INIT_ONLY}`);
  const name = specifier === undefined || specifier === null ? '' : String(specifier);
  if (name === '') throw new GoError("require() can't be used with an empty specifier");
  const [kind, url] = host('environment.find', name, callers()[0] ?? null);
  running.push(url);
  try {
    const failed = host('environment.require', kind, url);
    if (failed) {
      const error = unpack(failed[1]);
      const unreadable = failed[0] === 'link' && error instanceof SyntaxError;
      throw unreadable ? new GoError(host('environment.syntax', describe(error))) : error;
    }
    if (kind === 'commonjs') return run(url);
  } finally {
    running.pop();
  }
  const namespace = required.get(url);
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
  for (const name of names) {
    Object.defineProperty(target, name, {
      configurable: true,
      enumerable,
      get() {
        load(`jsrunner:globals/${module}`);
        return target[name];
      },
      set(value) {
        Object.defineProperty(target, name, {
          value, writable: true, enumerable, configurable: true,
        });
      },
    });
  }
};
later(globalThis, 'text', ['TextEncoder', 'TextDecoder']);
later(globalThis, 'webcrypto', ['crypto']);
