// jsrunner:vu — what a virtual user does: load the script, call its functions, loop over iterations.
// @ts-check
import { copyOf, isBytes } from 'jsrunner:bytes';
import { context } from 'jsrunner:context';
import { GoError, describe, describeRejection } from 'jsrunner:errors';
import { goJSON } from 'jsrunner:go_json';
import { goType } from 'jsrunner:go_types';
import { callPython, drainJobs, entries, host, hostError, pack, release } from 'jsrunner:host';
import { abandon, hasWork, settle } from 'jsrunner:loop';
import {
  DataView, JSONStringify, ObjectHasOwn, ObjectIsFrozen, ObjectKeys, Promise, PromisePrototypeThen, ReflectSet,
  SymbolPrototypeGetDescription, globalThis, isInstance,
} from 'jsrunner:primordials';
import { flush } from 'jsrunner:samples';
import { setOwn } from 'jsrunner:values';

/** The script's exports. */
let script = { __proto__: null };

// -- an activity: one call of a script's function with everything that follows from it -------------

let running = false;
let called; // the script's function that the activity is
let failure; // what is logged of the exception with which the activity has failed, if it has
let isRejection; // whether that was a promise which nobody has handled
let result;
let argument; // of the stage that runs: a script may change it

const fail = (text, rejected = false) => {
  if (failure !== undefined) return;
  failure = text;
  isRejection = rejected;
};
const reject = (reason) => fail(describeRejection(reason), true);
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
  if (isInstance(Promise, result)) {
    running = true;
    PromisePrototypeThen(result, (value) => {
      result = value;
    }, (reason) => {
      result = reason;
      reject(reason);
    });
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
entries.reject = (text) => fail('Uncaught (in promise) ' + text, true);

/**
 * Begin a call of an export (setup, teardown, handleSummary) or, without a name, of the script.
 * `args` is null for one argument that is undefined.
 */
entries.begin = (name, args) => {
  context.inInit = name === null;
  called = name === null ? undefined : script[name];
  argument = args?.[0];
  if (name === 'handleSummary' && ObjectHasOwn(argument, 'metrics') && !ObjectHasOwn(argument, 'setup_data')) {
    setOwn(argument, 'setup_data', undefined); // as setup() has returned it
  }
  begin(name === null
    ? () => PromisePrototypeThen(import('jsrunner:script'), (module) => {
      ({ script } = module);
    }, (error) => fail(describe(error)))
    : () => called(args === null ? undefined : args[0])); // whose `this` is undefined, as in k6
  running = true; // jobs may wait even after a plain function
  return proceed(false);
};

/** End what has failed; the text of the failure. What was thrown into a promise is told by `isRejection`. */
const giveUp = () => {
  const timers = abandon();
  drainJobs(); // whatever they reject, the failure is known
  flush();
  host('vu.give_up', timers);
  return failure;
};

/** true: the activity is over, and `finish` tells how; false: come again. */
entries.proceed = () => !running || proceed(true);

/** What is wrong with a value that has no JSON: Go's words, or the exception of a getter of a script's. */
const errorText = (error) => (isInstance(GoError, error) ? error.message : describe(error));

/** [[text, whether it is a rejection] of the failure or null], and the result as Go's JSON if it is not undefined. */
entries.finish = () => {
  flush();
  if (hasFailed()) return [[giveUp(), isRejection]];
  if (result === undefined) return [null];
  try {
    return [null, goJSON(result)];
  } catch (error) {
    return [null, { __proto__: null, $error: errorText(error) }];
  }
};

/**
 * What handleSummary wants written: [failure as above, texts and buffers by name or what is wrong, its data]. As in
 * k6 a failure is no obstacle: what was returned counts, even if it is the reason of a rejection.
 */
entries.finishSummary = () => {
  flush();
  const failed = hasFailed() ? [giveUp(), isRejection] : null;
  if (!result || isInstance(Promise, result)) return [failed, null, argument];
  if (goType(result) !== 'map[string]interface {}') {
    return [failed, { __proto__: null, $error: 'handleSummary() should return a map with string keys' }, argument];
  }
  const written = { __proto__: null };
  const names = ObjectKeys(result);
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const content = result[name];
    if (typeof content === 'string') {
      written[name] = content;
    } else if (typeof content === 'symbol') {
      written[name] = SymbolPrototypeGetDescription(content) ?? '';
    } else if (isBytes(content) && !isInstance(DataView, content)) {
      written[name] = [host('vu.base64', pack(copyOf(content)))];
      release();
    } else {
      return [failed, {
        __proto__: null,
        $error: 'error handling summary object ' + name + ': invalid type ' + goType(content)
          + ', it needs to be a string or ArrayBuffer',
      }, argument];
    }
  }
  return [failed, written, argument];
};

/** The script sees the run's options in its own `options`, where that is an object. */
entries.showOptions = (consolidated) => {
  context.inInit = false;
  const { options } = script;
  if (typeof options !== 'object' || options === null || ObjectIsFrozen(options)) return;
  const names = ObjectKeys(consolidated);
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
      json = JSONStringify(goJSON(options));
    } catch (error) {
      return { __proto__: null, exports: { __proto__: null }, optionsError: errorText(error) };
    }
  }
  const exports = { __proto__: null };
  const names = ObjectKeys(script);
  for (let i = 0; i < names.length; i += 1) exports[names[i]] = typeof script[names[i]];
  return { __proto__: null, exports, options: json };
};

// -- iterations ------------------------------------------------------------------------------------

let iterate;
let data;

/** What the next iterations call: an export, with the data that setup() returned. */
entries.activate = (name, setupData) => {
  if (setupData !== undefined && data === undefined) data = setupData?.[0];
  iterate = script[name];
};

const endWithFailure = () => {
  host('vu.failed', giveUp(), isRejection);
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
      ReflectSet(globalThis, '__ITER', iteration); // a script may have frozen it
      called = iterate;
      begin(() => iterate(data));
      if (hasFailed()) endWithFailure();
    }
  } catch (error) {
    throw hostError(error);
  }
};
