// jsrunner:errors — the errors that k6's own functions throw. What exceptions are and where they come from is written by
// modules that are loaded with the first exception.
// @ts-check
import { later } from 'jsrunner:core';
import { Error, ObjectDefineProperty, ObjectKeys, String, TypeError } from 'jsrunner:primordials';

const setFields = (object, fields) => {
  if (!fields) return;
  const names = ObjectKeys(fields);
  for (let i = 0; i < names.length; i += 1) {
    ObjectDefineProperty(object, names[i], {
      __proto__: null, value: fields[names[i]], writable: true, enumerable: true, configurable: true,
    });
  }
};

/** A value of Go's error type, as k6 hands it to scripts: no Error, only a text. */
export class GoValue {
  #text;
  constructor(text, fields) {
    this.#text = text;
    setFields(this, fields);
  }
  error() {
    return this.#text;
  }
  toString() {
    return this.#text;
  }
}
ObjectDefineProperty(GoValue, 'name', { __proto__: null, value: 'Object' });

/** What k6's own functions throw. */
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

/** Throw one of Go's errors that have a name. */
export const fail = (name, message) => {
  throw new GoError(name + ': ' + message, { __proto__: null, name, message });
};

/** Throw what Go says of an argument that is no function. */
export function mustBeCallable(value, index, type = 'sobek.Callable') {
  if (typeof value === 'function') return;
  throw new TypeError('could not convert function call parameter ' + index + ': '
    + 'could not convert ' + String(value) + ' to ' + type);
}

/** The text of an exception as it is logged: see descriptions.js. @type {(error: unknown, called?: Function) => string} */
export const describe = later('jsrunner:descriptions', 'describe');
/** What is logged of a promise that was rejected and that nobody handles. @type {(reason: unknown) => string} */
export const describeRejection = later('jsrunner:descriptions', 'describeRejection');
