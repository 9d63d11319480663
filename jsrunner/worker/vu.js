// jsrunner:vu — what a virtual user does: load the script, call its functions, loop over iterations.
// @ts-check
import { context } from 'jsrunner:context';
import { later, nextIteration } from 'jsrunner:core';
import { describe, describeRejection } from 'jsrunner:errors';
import { entries, host } from 'jsrunner:host';
import { abandon, hasWork, settle } from 'jsrunner:loop';
import {
  JSONParse, ObjectKeys, Promise, PromisePrototypeThen, ReflectSet, globalThis, isInstance,
} from 'jsrunner:primordials';

/** The script's exports. */
export let script = { __proto__: null };

// -- an activity: one call of a script's function with everything that follows from it -------------

let called; // the script's function that the activity is
let failure; // what is logged of the exception with which the activity has failed, if it has
export let isRejection; // whether that was a promise which nobody has handled
export let result;

const fail = (text, rejected = false) => {
  if (failure !== undefined) return;
  failure = text;
  isRejection = rejected;
};
const reject = (reason) => fail(describeRejection(reason), true);
export const hasFailed = () => failure !== undefined;

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
        // Nobody handles it: so the activity fails now, whatever it still waits for.
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

/** End what has failed; the text of the failure. What was thrown into a promise is told by `isRejection`. */
export const giveUp = () => {
  host('vu.give_up', abandon(isRejection));
  return failure;
};

/** Call an export, whose 'this' is undefined, as in k6, and see it through. */
export const callExport = (name, argument) => {
  called = script[name];
  run(() => called(argument));
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

// What VUs of stages do is loaded with the first of it.
entries.stage = later('jsrunner:stages', 'stage');
entries.handleSummary = later('jsrunner:stages', 'handleSummary');
entries.describeScript = later('jsrunner:stages', 'describeScript');

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
