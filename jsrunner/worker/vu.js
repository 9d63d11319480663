// jsrunner:vu — the main module of a virtual user: load the script, call its functions, loop over iterations.
// @ts-check
import { context } from 'jsrunner:context';
import { later, nextIteration } from 'jsrunner:core';
import { describe, describeRejection } from 'jsrunner:errors';
import { setUp } from 'jsrunner:globals/environment';
import { entries, host } from 'jsrunner:host';
import { abandon, drop, hasWork, settle } from 'jsrunner:loop';
import {
  JSONParse, ObjectKeys, Promise, PromisePrototypeThen, ReflectSet, SafeArray, globalThis, isInstance,
} from 'jsrunner:primordials';

/** The script's exports. */
export let script = { __proto__: null };

// -- an activity: one call of a script's function with everything that follows from it -------------

let called; // the script's function
let failure; // the text, for the log, of the exception that ended the activity
export let isRejection; // true if the failure was a promise that no handler has taken
export let result;

const fail = (text, rejected = false) => {
  if (failure !== undefined) return;
  failure = text;
  isRejection = rejected;
};
const reject = (reason) => fail(describeRejection(reason), true);
export const hasFailed = () => failure !== undefined;

/** Call a function and run the event loop until its end; set 'result' and 'failure'. */
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
        // The rejection has no handler, so the activity fails now, even if it still waits for something.
        return new Promise((_, rejectAgain) => {
          rejectAgain(reason);
        });
      });
    }
    if (hasWork()) settle(reject);
  } catch (error) {
    fail(describe(error, called));
  }
};

/** End a failed iteration. Return the text of its failure. */
const giveUp = () => {
  host('vu.give_up', abandon(isRejection));
  return failure;
};

/** End a failed stage. Return the text of its failure. */
export const giveUpStage = () => {
  drop();
  host('vu.give_up', SafeArray());
  return failure;
};

/** Call an export, with 'this' undefined as in k6, and run the event loop until nothing is left to do. */
export const callExport = (name, argument) => {
  called = script[name];
  run(() => called(argument));
};

/** Show the run's options in the script's 'options', if that is an object. */
const showOptions = (consolidated) => {
  const { options } = script;
  if (typeof options !== 'object' || options === null) return;
  const names = ObjectKeys(consolidated);
  for (let i = 0; i < names.length; i += 1) {
    // A script may have frozen its options.
    if (consolidated[names[i]] !== null) ReflectSet(options, names[i], consolidated[names[i]]);
  }
};

/**
 * Load the script for the VU of this number. `options` are the run's, which are not known before the first init. Return
 * [text, isRejection] of the failure, or null.
 */
entries.load = (number, options) => {
  setUp(number);
  context.inInit = true;
  called = undefined;
  run(() => PromisePrototypeThen(import('jsrunner:script'), (module) => {
    ({ script } = module);
  }, (error) => fail(describe(error))));
  if (hasFailed()) return [giveUp(), isRejection];
  if (options !== null) {
    context.inInit = false;
    showOptions(options);
  }
  return null;
};

// The functions of stages are loaded at their first call.
entries.stage = later('jsrunner:stages', 'stage');
entries.handleSummary = later('jsrunner:stages', 'handleSummary');
entries.describeScript = later('jsrunner:stages', 'describeScript');

// -- iterations ------------------------------------------------------------------------------------

let iterate;
let data;
const iterateOnce = () => iterate(data);

/** Set the export that the next iterations call, and its argument: setup()'s result as JSON. */
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
