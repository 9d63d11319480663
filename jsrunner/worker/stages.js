// jsrunner:stages — what VUs of stages do: setup, teardown, handleSummary; and what the first VU says of the script.
// @ts-check
import { context } from 'jsrunner:context';
import { later } from 'jsrunner:core';
import { GoError, describe } from 'jsrunner:errors';
import {
  JSONParse, ObjectHasOwn, ObjectKeys, Promise, isInstance,
} from 'jsrunner:primordials';
import { setOwn } from 'jsrunner:values';
import {
  callExport, giveUp, hasFailed, isRejection, result, script,
} from 'jsrunner:vu';

// Only stages that return something need Go's JSON.
const goJSON = later('jsrunner:go_json', 'goJSON');
const textOf = later('jsrunner:go_json', 'textOf');
const writtenOf = later('jsrunner:go_json', 'writtenOf');

let argument; // of the stage that runs: a script may change it

/** What is wrong with a value that has no JSON: Go's words, or the exception of a getter of a script's. */
const errorText = (error) => (isInstance(GoError, error) ? error.message : describe(error));

/** [[text, whether it is a rejection] of the failure or null], and the result as Go's JSON if it is not undefined. */
const finish = () => {
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
const finishSummary = () => {
  const failed = hasFailed() ? [giveUp(), isRejection] : null;
  if (!result || isInstance(Promise, result)) return [failed, null, argument];
  try {
    return [failed, writtenOf(result), argument];
  } catch (error) {
    return [failed, { __proto__: null, $error: errorText(error) }, argument];
  }
};

/** Call the export of a stage, with an argument given as JSON, or none. */
const call = (name, json) => {
  context.inInit = false;
  argument = json === null ? undefined : JSONParse(json);
  if (name === 'handleSummary' && ObjectHasOwn(argument, 'metrics') && !ObjectHasOwn(argument, 'setup_data')) {
    setOwn(argument, 'setup_data', undefined); // as setup() has returned it
  }
  callExport(name, argument);
};

/** setup and teardown: [text of the failure or null], and the result if it is not undefined. */
export const stage = (name, json) => {
  call(name, json);
  return finish();
};

export const handleSummary = (json) => {
  call('handleSummary', json);
  return finishSummary();
};

/** Of each export its type, and the options as JSON. */
export const describeScript = () => {
  const { options } = script;
  let json = null;
  if (options !== undefined && options !== null) {
    try {
      json = textOf(goJSON(options));
    } catch (error) {
      return { __proto__: null, exports: { __proto__: null }, optionsError: errorText(error) };
    }
  }
  const exports = { __proto__: null };
  const names = ObjectKeys(script);
  for (let i = 0; i < names.length; i += 1) exports[names[i]] = typeof script[names[i]];
  return { __proto__: null, exports, options: json };
};
