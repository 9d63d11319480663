// jsrunner:descriptions — how an exception is described in the log.
// @ts-check
import {
  Error, InternalError, Object, ObjectHasOwn, ObjectPrototypeToString, String, StringPrototypeIndexOf,
  StringPrototypeSlice, SymbolPrototypeGetDescription, isInstance,
} from 'jsrunner:primordials';

// The last thrown value and its stack. Thrown values that are no errors have no stack of their own.
let thrown;
let thrownFrames;
let writeFrames;

/** Remember the place where a value was thrown. `write(frames)` formats the frames as lines of a stack. */
export const rememberThrown = (value, frames, write) => {
  thrown = value;
  thrownFrames = frames;
  writeFrames = write;
};

/** Return a text for a value without one: an error that was made without memory, or a symbol's object. */
const otherTextOf = (error) => {
  if (isInstance(InternalError, error)) return 'InternalError: out of memory';
  try {
    return SymbolPrototypeGetDescription(error) ?? '';
  } catch {
    return ObjectPrototypeToString(error);
  }
};

/** Return the value as text. */
const textOf = (error) => {
  if (typeof error === 'symbol') return SymbolPrototypeGetDescription(error) ?? '';
  try {
    return String(error);
  } catch {
    return otherTextOf(error);
  }
};

/** Return the lines of the stack that an error has, "" if it has none. */
const ownFrames = (error) => {
  if (typeof error !== 'object' || error === null || !ObjectHasOwn(error, 'stack')) return '';
  const { stack } = error;
  const start = typeof stack === 'string' ? StringPrototypeIndexOf(stack, '\n\tat ') : -1;
  return start < 0 ? '' : StringPrototypeSlice(stack, start);
};

/** Return the lines of the stack where a value was thrown; "" if they are unknown. */
const framesOf = (error, called) => {
  const frames = ownFrames(error);
  if (frames) return frames;
  if (thrownFrames && (error === thrown || (error !== error && thrown !== thrown))) return writeFrames(thrownFrames);
  if (!called || !isInstance(Error, error)) return '';
  const { name, fileName, lineNumber, columnNumber } = called;
  return '\n\tat ' + name + ' (' + fileName + ':' + lineNumber + ':' + columnNumber + '(0))\n';
};

/**
 * Return the text of an exception for the log: the value, then its stack. If stack space or memory was too short to
 * get the stack, the text names the function `called` instead.
 */
export function describe(error, called) {
  const text = textOf(error);
  try {
    return text + framesOf(error, called);
  } catch {
    return text; // a getter or a Proxy's trap has thrown
  }
}

/** Return the log's text for a rejection with `reason` that no handler has taken. */
export function describeRejection(reason) {
  let text;
  try {
    const owner = reason === null || reason === undefined ? { __proto__: null } : Object(reason);
    text = 'stack' in owner ? String(owner.stack) : textOf(reason);
  } catch {
    text = textOf(reason);
  }
  return 'Uncaught (in promise) ' + text;
}
