// jsrunner:vu — what a virtual user does: load the script, call its functions, loop over iterations.
// @ts-check
import { context } from 'jsrunner:context';
import { nextIteration } from 'jsrunner:core';
import { GoError, describe, describeRejection } from 'jsrunner:errors';
import { load } from 'jsrunner:globals/environment';
import { entries, host } from 'jsrunner:host';
import { abandon, hasWork, settle } from 'jsrunner:loop';
import {
  JSONParse, ObjectHasOwn, ObjectKeys, Promise, PromisePrototypeThen, ReflectSet, globalThis, isInstance,
} from 'jsrunner:primordials';
import { setOwn } from 'jsrunner:values';

/** The script's exports. */
let script = { __proto__: null };

// -- an activity: one call of a script's function with everything that follows from it -------------

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

/** Call a function and see it through: what it returns, or has failed with, is in 'result' and 'failure'. */
const run = (call) => {
  failure = undefined;
  result = undefined;
  try {
    result = call();
    if (isInstance(Promise, result)) {
      PromisePrototypeThen(result, (value) => {
        result = value;
      }, (reason) => {
        result = reason;
        reject(reason);
      });
    }
    if (hasWork()) settle(reject);
  } catch (error) {
    fail(describe(error, called));
  }
};

/** End what has failed; the text of the failure. What was thrown into a promise is told by `isRejection`. */
const giveUp = () => {
  host('vu.give_up', abandon(isRejection));
  return failure;
};

// Only the VUs of stages need Go's JSON: it is loaded by the first use.
let goJSON;
entries.provideGoJSON = (functions) => {
  goJSON = functions;
};
const go = () => {
  if (!goJSON) load('jsrunner:go_json');
  return goJSON;
};

/** What is wrong with a value that has no JSON: Go's words, or the exception of a getter of a script's. */
const errorText = (error) => (isInstance(GoError, error) ? error.message : describe(error));

/** [[text, whether it is a rejection] of the failure or null], and the result as Go's JSON if it is not undefined. */
const finish = () => {
  if (hasFailed()) return [[giveUp(), isRejection]];
  if (result === undefined) return [null];
  try {
    return [null, go().goJSON(result)];
  } catch (error) {
    return [null, { __proto__: null, $error: errorText(error) }];
  }
};

/**
 * What handleSummary wants written: [failure as above, texts and buffers by name or what is wrong, its data]. As in
 * k6 a failure is no obstacle: what was returned counts, even if it is the reason of a rejection.
 */
const finishSummary = () => {
  const failed = hasFailed() ? [giveUp(), isRejection] : null;
  if (!result || isInstance(Promise, result)) return [failed, null, argument];
  try {
    return [failed, go().writtenOf(result), argument];
  } catch (error) {
    return [failed, { __proto__: null, $error: errorText(error) }, argument];
  }
};

/** Load the script: the text of the failure, or null. */
entries.load = () => {
  context.inInit = true;
  called = undefined;
  run(() => PromisePrototypeThen(import('jsrunner:script'), (module) => {
    ({ script } = module);
  }, (error) => fail(describe(error))));
  return hasFailed() ? [giveUp(), isRejection] : null;
};

/** Call the export of a stage, with an argument given as JSON, or none. */
const stage = (name, json) => {
  context.inInit = false;
  called = script[name];
  argument = json === null ? undefined : JSONParse(json);
  if (name === 'handleSummary' && ObjectHasOwn(argument, 'metrics') && !ObjectHasOwn(argument, 'setup_data')) {
    setOwn(argument, 'setup_data', undefined); // as setup() has returned it
  }
  run(() => called(argument)); // whose 'this' is undefined, as in k6
};

/** setup and teardown: [text of the failure or null], and the result if it is not undefined. */
entries.stage = (name, json) => {
  stage(name, json);
  return finish();
};

entries.handleSummary = (json) => {
  stage('handleSummary', json);
  return finishSummary();
};

/** The script sees the run's options in its own 'options', where that is an object. */
entries.showOptions = (consolidated) => {
  context.inInit = false;
  const { options } = script;
  if (typeof options !== 'object' || options === null) return;
  const names = ObjectKeys(consolidated);
  for (let i = 0; i < names.length; i += 1) {
    // A script may have frozen its options.
    if (consolidated[names[i]] !== null) ReflectSet(options, names[i], consolidated[names[i]]);
  }
};

/** Of each export its type, and the options as JSON. */
entries.describeScript = () => {
  const { options } = script;
  let json = null;
  if (options !== undefined && options !== null) {
    try {
      const functions = go();
      json = functions.textOf(functions.goJSON(options));
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
const iterateOnce = () => iterate(data);

/** What the next iterations call: an export, with the data that setup() returned, as JSON. */
entries.activate = (name, setupData) => {
  if (setupData !== null && data === undefined) data = JSONParse(setupData);
  iterate = script[name];
};

/** Iterate until there are no more iterations. */
entries.iterate = () => {
  for (;;) {
    const iteration = nextIteration();
    if (iteration === undefined) return;
    ReflectSet(globalThis, '__ITER', iteration); // a script may have frozen it
    called = iterate;
    run(iterateOnce);
    if (hasFailed()) host('vu.failed', giveUp(), isRejection);
  }
};
