// open and require, for init code.
// @ts-check
import { run, running } from 'jsrunner:commonjs';
import { context } from 'jsrunner:context';
import { importNow } from 'jsrunner:core';
import { GoError, describe } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import {
  ArrayPrototypePop, ArrayPrototypePush, Error, JSONStringify, RegExpPrototypeExec, SafeArray, SafeMap, SyntaxError,
  isInstance,
} from 'jsrunner:primordials';
import { asText } from 'jsrunner:values';

const INIT_ONLY = 'function is only available in the init stage (i.e. the global scope), see '
  + 'https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information';

/** Return the files of the modules that are being called, the innermost first. */
const callers = () => {
  const { stack } = new Error();
  const place = /(?:file|https):.*?(?=:\d+:\d+\(\d+\)\)?\n)/g;
  const files = SafeArray();
  for (let found = RegExpPrototypeExec(place, stack); found; found = RegExpPrototypeExec(place, stack)) {
    ArrayPrototypePush(files, found[0]);
  }
  return files;
};

export const open = (path, mode) => {
  if (!context.inInit) throw new GoError('the "open" ' + INIT_ONLY);
  const name = asText(path);
  if (name === '') throw new GoError("open() can't be used with an empty filename");
  const files = callers();
  // As in k6, a path is relative to the module that require() runs, or else to the outermost module.
  const outermost = running[running.length - 1] ?? files[files.length - 1] ?? null;
  return host('environment.open', name, mode === 'b', outermost, files[0] ?? null);
};

/** Required modules: URL -> namespace, undefined for a CommonJS module, whose exports `run` returns. */
const required = new SafeMap();

/** Return the exception of require() for a module that could not be loaded, with k6's text for a syntax error. */
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

export const require = (specifier) => {
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
};
