// jsrunner:errors — the errors that k6's own functions throw. The first exception loads the modules that describe
// exceptions and their stacks.
// @ts-check
import { later } from 'jsrunner:core';
import {
  Error, Object, ObjectDefineProperty, ObjectKeys, ObjectPreventExtensions, String, TypeError,
} from 'jsrunner:primordials';

/**
 * A value of Go's error type for scripts: not an Error, but an object with the fields of the Go value and the method
 * `error`, which returns the text. As in k6, scripts cannot add or delete properties.
 */
export class GoValue {
  #text;
  constructor(text, fields) {
    this.#text = text;
    const names = fields ? ObjectKeys(fields) : [];
    for (let i = 0; i < names.length; i += 1) {
      ObjectDefineProperty(this, names[i], {
        __proto__: null, value: fields[names[i]], writable: true, enumerable: true,
      });
    }
    const error = () => text;
    ObjectDefineProperty(this, 'error', { __proto__: null, value: error, enumerable: true });
    ObjectPreventExtensions(this);
  }
  toString() {
    return this.#text;
  }
}
ObjectDefineProperty(GoValue, 'name', { __proto__: null, value: 'Object' });
ObjectDefineProperty(GoValue.prototype, 'constructor', { __proto__: null, value: Object });

/** An error thrown by a function of k6. */
export class GoError extends Error {
  value;
  constructor(text, fields) {
    super(text);
    this.value = new GoValue(text, fields);
  }
}
ObjectDefineProperty(GoError.prototype, 'name', {
  __proto__: null, value: 'GoError', writable: true, configurable: true,
});

/** Throw an error with the given name. */
export const fail = (name, message) => {
  throw new GoError(name + ': ' + message, { __proto__: null, name, message });
};

/** Throw k6's error for an argument that is no function. */
export function mustBeCallable(value, index, type = 'sobek.Callable') {
  if (typeof value === 'function') return;
  throw new TypeError('could not convert function call parameter ' + index + ': '
    + 'could not convert ' + String(value) + ' to ' + type);
}

/** Return the log's text of an exception (see descriptions.js). @type {(error: unknown, called?: Function) => string} */
export const describe = later('jsrunner:descriptions', 'describe');
/** Return the log's text of a rejection that no handler has taken. @type {(reason: unknown) => string} */
export const describeRejection = later('jsrunner:descriptions', 'describeRejection');
