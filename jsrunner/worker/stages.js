// jsrunner:stages — the stages setup, teardown and handleSummary; the description of the script for its first init.
// @ts-check
import { callSite } from 'jsrunner:call_site';
import { context } from 'jsrunner:context';
import { later } from 'jsrunner:core';
import { GoError, describe } from 'jsrunner:errors';
import { entries } from 'jsrunner:host';
import { JSONParse, ObjectHasOwn, ObjectKeys, Promise, isInstance } from 'jsrunner:primordials';
import { setOwn } from 'jsrunner:values';
import {
  callExport, giveUpStage, hasFailed, isRejection, result, script,
} from 'jsrunner:vu';

// Only stages that return something need Go's JSON.
const goJSON = later('jsrunner:go_json', 'goJSON');
const textOf = later('jsrunner:go_json', 'textOf');
const writtenOf = later('jsrunner:go_json', 'writtenOf');

let argument; // the current stage's argument, which a script may change

/** Return the text of an error of goJSON: Go's text, or the description of an exception of a script's getter. */
const errorText = (error) => (isInstance(GoError, error) ? error.message : describe(error));

/** Return [failure], or [failure, result as Go's JSON] if there is a result. `failure`: [text, isRejection] or null. */
const finish = () => {
  if (hasFailed()) return [[giveUpStage(), isRejection]];
  if (result === undefined) return [null];
  try {
    return [null, goJSON(result)];
  } catch (error) {
    return [null, { __proto__: null, $error: errorText(error) }];
  }
};

/**
 * Return [failure as above, texts and buffers to write by name or an error, handleSummary's data]. As in k6, the
 * returned value counts even after a failure, and even if it is the reason of a rejection.
 */
const finishSummary = () => {
  const failed = hasFailed() ? [giveUpStage(), isRejection] : null;
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
    setOwn(argument, 'setup_data', undefined); // undefined, as setup() returned it
  }
  callExport(name, argument);
};

/** Run setup or teardown; return [failure or null], and the result if it is not undefined. */
export const stage = (name, json) => {
  call(name, json);
  return finish();
};

export const handleSummary = (json) => {
  entries.place = callSite; // k6 logs where it has interrupted handleSummary
  call('handleSummary', json);
  return finishSummary();
};

/** Return the type of each export, and the options as JSON. */
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
