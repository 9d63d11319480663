// jsrunner:language — adapts the global scope of scripts to that of k6's engine.
// @ts-check
import { later } from 'jsrunner:core';
import { GoError } from 'jsrunner:errors';
import { entries } from 'jsrunner:host';
import {
  Boolean, Error, Function, ReflectDefineProperty, globalThis,
} from 'jsrunner:primordials';

// The engine calls this function when an error is created and whenever a value is thrown.
Error.prepareStackTrace = later('jsrunner:positions', 'prepareStackTrace');
Error.stackTraceLimit = 50;
// Frames of a stack expose functions of jsrunner, so no script may replace the function or switch it off.
delete Error.prepareStackTrace;
delete Error.stackTraceLimit;
delete Error.captureStackTrace;

/** Define a global as k6 does, if the script has not frozen it. */
export const defineGlobal = (name, value, enumerable = true) => ReflectDefineProperty(globalThis, name, {
  __proto__: null, value, writable: true, enumerable, configurable: true,
});

// Names that QuickJS has and k6 lacks: removed, so that a script's feature tests have k6's results.
const ABSENT = ['queueMicrotask', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'performance', 'FinalizationRegistry',
  'DOMException', 'Float16Array', 'Iterator', 'InternalError'];
for (let i = 0; i < ABSENT.length; i += 1) delete globalThis[ABSENT[i]];

defineGlobal('global', globalThis);
defineGlobal('GoError', GoError, false);

/** Return true if the text is the code of a function, and therefore no ES module. */
entries.isFunctionBody = (text) => {
  try {
    return Boolean(Function('module', 'exports', "'use strict';" + text));
  } catch {
    return false;
  }
};
