// jsrunner:vu — what a virtual user does: load the script, call its functions, loop over iterations.
// @ts-check
import {
  ArrayBuffer, Date, Map, Number, Promise, Set, TypeError, Uint8Array, arrayFrom, callPython, context, describe, entries,
  flush, host, hostError, includes, isArray, isFinite, isFrozen, isGoMethod, isView, keys, method, push, replaceIn,
  slice, sort, stringify, then,
} from 'jsrunner:host';
import { abandon, hasWork, settle } from 'jsrunner:loop';

/** The script's exports. */
let script = {};

// -- an activity: one call of a script's function with everything that follows from it -------------

let running = false;
let called; // the script's function that the activity is
let failure; // what is logged of the exception with which the activity has failed, if it has
let result;
let argument; // of the stage that runs: a script may change it

const fail = (text) => {
  failure ??= text;
};
const reject = (reason) => fail(`Uncaught (in promise) ${describe(reason, called)}`);
const hasFailed = () => failure !== undefined;

const begin = (call) => {
  failure = undefined;
  result = undefined;
  try {
    result = call();
  } catch (error) {
    fail(describe(hostError(error), called));
    return;
  }
  if (result instanceof Promise) {
    running = true;
    then(result, (value) => {
      result = value;
    }, reject);
  } else if (hasWork()) {
    running = true;
  }
};

/** Go on with the activity, `jobsDone` after Python has run promise jobs; false if it is to do so first. */
const proceed = (jobsDone) => {
  try {
    if (!settle(jobsDone, reject, hasFailed)) return false;
  } catch (error) {
    fail(describe(error, called));
  }
  running = false;
  return true;
};

/** Without the C API: a promise was rejected and nobody has handled it. */
entries.reject = (text) => fail(`Uncaught (in promise) ${text}`);

/**
 * Begin a call of an export (setup, teardown, handleSummary) or, without a name, of the script.
 * `args` is null for one argument that is undefined.
 */
entries.begin = (name, args) => {
  context.inInit = name === null;
  called = name === null ? undefined : script[name];
  argument = args?.[0];
  if (name === 'handleSummary' && 'metrics' in argument && !('setup_data' in argument)) {
    argument.setup_data = undefined; // as setup() has returned it
  }
  begin(name === null
    ? () => then(import('jsrunner:script'), (module) => {
      ({ script } = module);
    }, (error) => fail(describe(error)))
    : () => called(args === null ? undefined : args[0])); // whose `this` is undefined, as in k6
  running = true; // jobs may wait even after a plain function
  return proceed(false);
};

/** End what has failed; the text of the failure. */
const giveUp = () => {
  const timers = abandon();
  flush();
  callPython('vu.give_up', timers);
  return failure;
};

/** true: the activity is over, and `finish` tells how; false: come again. */
entries.proceed = () => !running || proceed(true);

/** [text of the failure or null], and the result as Go's JSON if it is not undefined. */
entries.finish = () => {
  flush();
  if (hasFailed()) return [giveUp()];
  if (result === undefined) return [null];
  try {
    return [null, goJSON(result)];
  } catch (error) {
    return [null, { $error: error.message }];
  }
};

/** What handleSummary wants written: [failure, texts and buffers by name or what is wrong, its data]. */
entries.finishSummary = () => {
  flush();
  if (hasFailed()) return [giveUp(), null, argument];
  if (result === undefined || result === null) return [null, null, argument];
  if (typeof result !== 'object') return [null, { $error: 'handleSummary() should return a map with string keys' }, argument];
  const written = {};
  const names = keys(result);
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const content = result[name];
    if (typeof content === 'string') {
      written[name] = content;
    } else if (content instanceof ArrayBuffer || isView(content)) {
      written[name] = [host('vu.base64', bytesOf(content.buffer ?? content))];
    } else {
      const type = { number: 'int64', boolean: 'bool' }[typeof content] ?? 'map[string]interface {}';
      return [null, {
        $error: `error handling summary object ${name}: invalid type ${type}, it needs to be a string or ArrayBuffer`,
      }, argument];
    }
  }
  return [null, written, argument];
};

/** The script sees the run's options in its own `options`, where that is an object. */
entries.showOptions = (consolidated) => {
  context.inInit = false;
  const { options } = script;
  if (typeof options !== 'object' || options === null || isFrozen(options)) return;
  const names = keys(consolidated);
  for (let i = 0; i < names.length; i += 1) {
    if (consolidated[names[i]] !== null) options[names[i]] = consolidated[names[i]];
  }
};

/** Of each export its type, and the options as JSON. */
entries.describeScript = () => {
  const { options } = script;
  let json = null;
  if (options !== undefined && options !== null) {
    try {
      json = stringify(options, (key, value) => {
        if (typeof value === 'function') throw new TypeError('json: unsupported type: func(sobek.FunctionCall) sobek.Value');
        return value;
      });
    } catch (error) {
      return { exports: {}, optionsError: error.message };
    }
  }
  const exports = {};
  const names = keys(script);
  for (let i = 0; i < names.length; i += 1) exports[names[i]] = typeof script[names[i]];
  return { exports, options: json };
};

// -- iterations ------------------------------------------------------------------------------------

const scope = globalThis;
let iterate;
let data;

/** What the next iterations call: an export, with the data that setup() returned. */
entries.activate = (name, setupData) => {
  if (setupData !== undefined && data === undefined) data = setupData?.[0];
  iterate = script[name];
};

const endWithFailure = () => {
  callPython('vu.failed', giveUp());
  failure = undefined;
};

/** Iterate until Python says stop: true; or until Python is to run promise jobs: false. */
entries.iterate = () => {
  let jobsDone = true;
  try {
    for (;;) {
      if (running) {
        if (!proceed(jobsDone)) return false;
        if (hasFailed()) endWithFailure();
      }
      jobsDone = false;
      flush();
      const iteration = callPython('vu.next');
      if (iteration === undefined) return true;
      if (iteration < 0) { // the iteration that ended has left promise jobs
        running = true;
        continue;
      }
      scope.__ITER = iteration;
      called = iterate;
      begin(() => iterate(data));
      if (hasFailed()) endWithFailure();
    }
  } catch (error) {
    throw hostError(error);
  }
};

// -- Go's JSON: how setup's data crosses (keys sorted, dates without idle fractions) ---------------

/** A buffer's bytes as numbers. */
const bytesOf = (buffer, start = 0, length = undefined) => {
  const bytes = new Uint8Array(buffer, start, length);
  const found = [];
  for (let i = 0; i < bytes.length; i += 1) push(found, bytes[i]);
  return found;
};

const toISOString = method(Date.prototype.toISOString);

const goJSON = (value, seen = []) => {
  if (value === null || value === undefined || typeof value === 'symbol') return null;
  if (typeof value === 'number') {
    if (!isFinite(value)) {
      const name = { [Infinity]: '+Inf', [-Infinity]: '-Inf' }[value] ?? 'NaN';
      throw new TypeError(`json: unsupported value: ${name}`);
    }
    return value;
  }
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'function') {
    throw new TypeError('json: unsupported type: func(sobek.FunctionCall) sobek.Value');
  }
  if (typeof value !== 'object') return value;
  if (value instanceof Date) return replaceIn(toISOString(value), /\.?0*Z$/, 'Z');
  if (value instanceof ArrayBuffer) return {};
  if (isView(value)) {
    return host('vu.base64', bytesOf(value.buffer, value.byteOffset, value.byteLength));
  }
  if (includes(seen, value)) throw new TypeError('json: unsupported value: encountered a cycle');
  const path = slice(seen);
  push(path, value);
  if (isArray(value)) {
    const copy = [];
    for (let i = 0; i < value.length; i += 1) push(copy, goJSON(value[i], path));
    return copy;
  }
  if (value instanceof Set || value instanceof Map) {
    return arrayFrom(value, (item) => goJSON(item, path));
  }
  const copy = {};
  const names = sort(keys(value));
  for (let i = 0; i < names.length; i += 1) {
    const member = value[names[i]];
    if (!isGoMethod(member)) copy[names[i]] = goJSON(member, path);
  }
  return copy;
};
