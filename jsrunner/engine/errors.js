// jsrunner:errors — the errors that k6's own functions throw, and how an exception is described in the log.
// @ts-check
import {
  Error, InternalError, ObjectDefineProperty, ObjectHasOwn, ObjectKeys, ObjectPrototypeToString, String,
  StringPrototypeIndexOf, StringPrototypeSlice, TypeError, isInstance,
} from 'jsrunner:primordials';

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
export function mustBeCallable(value, index) {
  if (typeof value === 'function') return;
  throw new TypeError('could not convert function call parameter ' + index + ': '
    + 'could not convert ' + String(value) + ' to sobek.Callable');
}

/** The value as text. An error that was made when no memory was left has none. */
const textOf = (error) => {
  if (typeof error === 'symbol') return ObjectPrototypeToString(error);
  try {
    return String(error);
  } catch {
    return isInstance(InternalError, error)
      ? 'InternalError: out of memory' : ObjectPrototypeToString(error);
  }
};

const stackOf = (error) => {
  if (typeof error !== 'object' || error === null || !ObjectHasOwn(error, 'stack')) return undefined;
  const { stack } = error;
  return typeof stack === 'string' ? stack : undefined;
};

/**
 * The text of an exception as it is logged: the value, then where it came from. Where there was no
 * room left to find that out (stack or memory), it is the function that was `called`.
 */
export function describe(error, called) {
  let text = 'Object';
  try {
    text = textOf(error);
    const stack = stackOf(error);
    if (stack !== undefined) {
      const frames = StringPrototypeIndexOf(stack, '\n\tat ');
      return frames < 0 ? text : text + StringPrototypeSlice(stack, frames);
    }
    if (!called || !isInstance(Error, error)) return text;
  } catch {
    return text; // a getter or a Proxy's trap has thrown
  }
  const { name, fileName, lineNumber, columnNumber } = called;
  return text + '\n\tat ' + name + ' (' + fileName + ':' + lineNumber + ':' + columnNumber + '(0))\n';
}
