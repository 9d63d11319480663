// jsrunner:language — what scripts find beside the language, and what they shall not: k6's engine decides.
// @ts-check
import { later } from 'jsrunner:core';
import { GoError } from 'jsrunner:errors';
import { entries } from 'jsrunner:host';
import {
  Boolean, Error, Function, ReflectDefineProperty, globalThis,
} from 'jsrunner:primordials';

// The engine asks when an error is made, and whenever anything is thrown.
Error.prepareStackTrace = later('jsrunner:positions', 'prepareStackTrace');
Error.stackTraceLimit = 50;
// The frames of a stack have functions of ours: no script is to format it, nor to leave it out.
delete Error.prepareStackTrace;
delete Error.stackTraceLimit;
delete Error.captureStackTrace;

/** Define a global as k6 does, if the script has not frozen it. */
export const defineGlobal = (name, value, enumerable = true) => ReflectDefineProperty(globalThis, name, {
  __proto__: null, value, writable: true, enumerable, configurable: true,
});

// What QuickJS has and k6 has not, so that a script's feature tests give the same answers.
const ABSENT = ['queueMicrotask', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'performance', 'FinalizationRegistry',
  'DOMException', 'Float16Array', 'Iterator', 'InternalError'];
for (let i = 0; i < ABSENT.length; i += 1) delete globalThis[ABSENT[i]];

defineGlobal('global', globalThis);
defineGlobal('GoError', GoError, false);

/** Whether the text is the code of a function: then it is no ES module. */
entries.isFunctionBody = (text) => {
  try {
    return Boolean(Function('module', 'exports', "'use strict';" + text));
  } catch {
    return false;
  }
};
