// jsrunner:host — calls between JavaScript and Python: `host` calls Python, Python calls `entries`.
// @ts-check
import { host, publish } from 'jsrunner:core';
import { GoError } from 'jsrunner:errors';
import { Error, RangeError, SyntaxError, TypeError } from 'jsrunner:primordials';

/** Functions that Python can call: `interpreter.call(name, ...)` -> entries[name](...). @type {Record<string, (...args: any[]) => any>} */
export const entries = { __proto__: null };

const errorTypes = {
  __proto__: null, TypeError, RangeError, SyntaxError, Error,
};

publish(entries, (kind, text, fields) => (kind === 'GoError' ? new GoError(text, fields) : new errorTypes[kind](text)));

export { host };
