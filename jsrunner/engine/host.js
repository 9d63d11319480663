// jsrunner:host — the first module of every interpreter and the only way down to Python.
// It takes dukpy's bridge out of the scripts' sight, gives modules their calls, and describes errors.
// @ts-check

const callPython = globalThis.call_python;
const { token, native } = globalThis.dukpy;

// -- the language's own functions --------------------------------------------------------------------
// A script may change its globals and their prototypes; k6's modules, which are Go, do not notice. So
// what its most used modules need is taken from here, and lists are walked by index, not by iterator.

export const {
  ArrayBuffer, Boolean, DataView, Date, Error, FinalizationRegistry, Map, Number, Object, Promise, Proxy, Set, String,
  TypeError, Uint8Array, WeakRef,
} = globalThis;
export const {
  assign, defineProperties, defineProperty, freeze, getOwnPropertyDescriptor, hasOwn, is, isFrozen,
  keys, values: valuesOf,
} = Object;
export const { from: arrayFrom, isArray } = Array;
export const { isView } = ArrayBuffer;
export const { parse, stringify } = JSON;
export const { imul, max, min, trunc } = Math;
export const { isFinite, isInteger, isNaN } = Number;
export const { apply, get: getProperty, has: hasProperty, ownKeys, set: setProperty } = Reflect;

const Compiled = Function;
const { bind, call } = Function.prototype;
/** `method(f)(self, ...args)` is `self.f(...args)`. */
export const method = bind.bind(call);
export const concat = method(Array.prototype.concat);
export const filter = method(Array.prototype.filter);
export const find = method(Array.prototype.find);
export const findIndex = method(Array.prototype.findIndex);
export const forEach = method(Array.prototype.forEach);
export const includes = method(Array.prototype.includes);
export const join = method(Array.prototype.join);
export const map = method(Array.prototype.map);
export const pop = method(Array.prototype.pop);
export const push = method(Array.prototype.push);
export const shift = method(Array.prototype.shift);
export const slice = method(Array.prototype.slice);
export const sort = method(Array.prototype.sort);
export const splice = method(Array.prototype.splice);
export const contains = method(String.prototype.includes);
export const lower = method(String.prototype.toLowerCase);
export const part = method(String.prototype.slice);
export const positionOf = method(String.prototype.indexOf);
export const replaceIn = method(String.prototype.replace);
export const splitAt = method(String.prototype.split);
export const startsWith = method(String.prototype.startsWith);
export const trim = method(String.prototype.trim);
export const upper = method(String.prototype.toUpperCase);
export const toFixed = method(Number.prototype.toFixed);
export const then = method(Promise.prototype.then);

const fromCharCode = String.fromCharCode;
const objectText = method(Object.prototype.toString);

// -- the bridge --------------------------------------------------------------------------------------

// What Python can call: `interpreter.call(name, ...)` -> entries[name](...).
/** @type {Record<string, (...args: any[]) => any>} */
export const entries = { __proto__: null };

// dukpy publishes `call_python` and `dukpy` anew on every evaluation. With the C API there is none once
// the script runs. Without it setters on the global object's prototype catch that: scripts see neither,
// and the setter is how a call from Python comes in.
const scope = globalThis;
entries.hideBridge = () => {
  delete scope.call_python;
  delete scope.dukpy;
};
entries.hideBridge();
if (!native) {
  let armed;
  Object.setPrototypeOf(scope, Object.create(Object.prototype, {
    call_python: { get() {}, set() {} },
    dukpy: {
      get() {
        const call = armed;
        armed = undefined;
        return call;
      },
      set(value) {
        if (value && value.token === token) armed = () => apply(entries[value.name], undefined, value.args);
      },
    },
  }));
}

// Buffers and long strings cross beside the JSON, in these arrays (see native.py).
const incoming = [];
const outgoing = [];
const rejected = [];
/** The timers that wait, see timers.js. Python reads them when the VU was interrupted. */
export const timers = [];
/** What Python calls by the C API: an entry by its name, arguments and result as JSON. */
const dispatch = (name, args) => stringify(apply(entries[name], undefined, parse(args)));
const shown = {
  __dispatch: dispatch, __incoming: incoming, __outgoing: outgoing, __rejected: rejected, __timers: timers,
};
assign(scope, shown);
entries.hideArrays = () => {
  const names = keys(shown);
  for (let i = 0; i < names.length; i += 1) delete scope[names[i]];
};

/** What of the script's life it is: init code may do less (and more) than the VU's functions. */
export const context = { inInit: true };

/** A value of Go's error type, as k6 hands it to scripts: no Error, only a text. */
export class GoValue {
  #text;
  constructor(text, fields) {
    this.#text = text;
    assign(this, fields);
  }
  error() {
    return this.#text;
  }
  toString() {
    return this.#text;
  }
}
defineProperty(GoValue, 'name', { value: 'Object' });

/** What k6's own functions throw. */
export class GoError extends Error {
  constructor(text, fields) {
    super(text);
    this.value = new GoValue(text, fields);
  }
}
defineProperty(GoError.prototype, 'name', { value: 'GoError', writable: true, configurable: true });

/** Throw one of Go's errors that have a name. */
export const fail = (name, message) => {
  throw new GoError(`${name}: ${message}`, { name, message });
};

const errorTypes = { __proto__: null, GoError, TypeError, RangeError, SyntaxError, Error };
const InternalError = globalThis.InternalError;
const WHILE_CALLING = 'Error while calling Python Function';

/** The exception that Python meant when a call down failed. Never returns if the VU is to stop. */
export function hostError(error) {
  if (!(error instanceof InternalError)) return error;
  if (startsWith(error.message, WHILE_CALLING)) {
    const described = callPython('$error'); // [class, text, fields]
    if (described[0] !== 'interrupted') return new errorTypes[described[0]](described[1], described[2]);
  } else if (error.message !== 'interrupted') {
    return error;
  }
  for (;;); // ends by the interrupt that is under way, which no script can catch
}

/** Call a Python operation with JSON-like arguments. */
export function host(...opAndArgs) {
  try {
    return apply(callPython, undefined, opAndArgs);
  } catch (error) {
    throw hostError(error);
  }
}

// A JSON argument is cut at a NUL by the bridge only in the operation's name; `\u0000` is safe in it.

/** Prepare an ArrayBuffer for a host call; Python reads it with `interpreter.buffer(packed)`. */
export const pack = native
  ? (buffer) => push(outgoing, buffer) - 1
  : (buffer) => {
    const bytes = new Uint8Array(buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) {
      text += apply(fromCharCode, undefined, bytes.subarray(i, i + 8192));
    }
    return text;
  };

/** Prepare a long string for a host call; Python reads it with `interpreter.text(packed)`. */
export const packText = native ? (text) => push(outgoing, text) - 1 : (text) => text;

/** Python has read what was packed: let it go. */
export function release() {
  outgoing.length = 0;
}

/** What `interpreter.put_buffer(bytes)` or `put_text(bytes)` gave. */
export const unpack = native
  ? (index) => {
    const value = incoming[index];
    incoming[index] = undefined;
    return value;
  }
  : ([kind, text]) => (kind === 'text'
    ? text
    : Uint8Array.from(text, (character) => character.charCodeAt(0)).buffer);

// Stacks as k6 writes them, without our own frames: `\tat name (file:line:column(pc))`.
Error.prepareStackTrace = (error, frames) => {
  let text;
  try {
    text = `${error}`;
  } catch {
    text = 'Error';
  }
  for (let i = 0; i < frames.length; i += 1) {
    const frame = frames[i];
    const file = frame.getFileName();
    if (!file || !(startsWith(file, 'file:') || startsWith(file, 'https:'))) continue;
    const place = `${file}:${placeOf(file, frame.getLineNumber(), frame.getColumnNumber())}(0)`;
    const name = frame.getFunctionName();
    text += name ? `\n\tat ${name} (${place})` : `\n\tat ${place}`;
  }
  return `${text}\n`;
};
Error.stackTraceLimit = 50;
// The frames of a stack have functions of ours: no script is to format it.
delete Error.prepareStackTrace;

// Modules that were translated: file -> the mappings of a source map, until they are decoded.
const mapped = { __proto__: null };
/** Positions in this file are those of another text (https://tc39.es/ecma426/, "mappings"). */
export const mapPositions = (file, mappings) => {
  mapped[file] = mappings;
};

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Per line [column, line there, column there] of each piece, all from 0. */
const decode = (mappings) => {
  let line = 0;
  let column = 0;
  return map(splitAt(mappings, ';'), (pieces) => {
    let start = 0;
    return map(filter(splitAt(pieces, ','), Boolean), (piece) => {
      const fields = [];
      let value = 0;
      let width = 0;
      for (let i = 0; i < piece.length; i += 1) {
        const bits = positionOf(DIGITS, piece[i]);
        value += (bits & 31) << width;
        width += 5;
        if (bits < 32) {
          push(fields, value & 1 ? -(value >> 1) : value >> 1);
          value = 0;
          width = 0;
        }
      }
      start += fields[0];
      line += fields[2] ?? 0;
      column += fields[3] ?? 0;
      return [start, line, column];
    });
  });
};
/** `line:column` in the text that the script's author has written. */
const placeOf = (file, line, column) => {
  if (!mapped[file]) return `${line}:${column}`;
  if (typeof mapped[file] === 'string') mapped[file] = decode(mapped[file]);
  const pieces = mapped[file][line - 1] ?? [];
  let at = pieces.length - 1;
  while (at >= 0 && pieces[at][0] >= column) at -= 1;
  return at < 0 ? `${line}:${column}` : `${pieces[at][1] + 1}:${pieces[at][2] + 1}`;
};

/**
 * The text of an exception as it is logged: the value, then where it came from. Where there was no
 * room left to find that out (stack or memory), it is the function that was `called`.
 */
export function describe(error, called) {
  let text;
  try {
    text = `${error}`;
  } catch {
    // An error that was made when there was no memory left has not even a text.
    text = error instanceof InternalError ? 'InternalError: out of memory' : objectText(error);
  }
  const stack = typeof error === 'object' && error !== null && hasOwn(error, 'stack')
    ? error.stack : undefined;
  if (typeof stack !== 'string') {
    if (!called || !(error instanceof Error)) return text;
    const { name, fileName, lineNumber, columnNumber } = called;
    return `${text}\n\tat ${name} (${fileName}:${lineNumber}:${columnNumber}(0))\n`;
  }
  const frames = positionOf(stack, '\n\tat ');
  return frames < 0 ? text : text + part(stack, frames);
}

/** Whether the text is the code of a function: then it is no ES module. */
entries.isFunctionBody = (text) => {
  try {
    return Boolean(Compiled('module', 'exports', `'use strict';${text}`));
  } catch {
    return false;
  }
};

// Which promises were rejected and never handled: their reasons, oldest first.
const takeRejections = (indices) => {
  const reasons = map(indices, (index) => rejected[index]);
  rejected.length = 0;
  return reasons;
};

/**
 * Run all promise jobs. Returns the reasons of unhandled rejections (mostly none), or undefined
 * if the caller must return to Python for it, where all jobs are run.
 */
export const drainJobs = native
  ? () => (callPython('\x03') === 1 ? takeRejections(callPython('$rejections')) : [])
  : () => undefined;

// The clock of samples and timers: milliseconds since the epoch, with fractions.
const { performance } = globalThis;
const sinceStart = method(performance.now);
const origin = Date.now() - sinceStart(performance);
export const now = () => origin + sinceStart(performance);

// Samples wait here until control leaves for Python anyway: [metric, value, time, tags].
const samples = [];
const flushers = [];
/** Have `send()` called before control leaves for longer than a moment. */
export const onFlush = (send) => push(flushers, send);
export function emit(metric, value, tags) {
  if (!isFinite(value)) value = String(value); // which JSON cannot say as a number
  if (push(samples, [metric, value, now(), tags]) >= 64) flushSamples();
}
export function flushSamples() {
  if (samples.length) callPython('$emit', splice(samples, 0));
}
export function flush() {
  flushSamples();
  for (let i = 0; i < flushers.length; i += 1) flushers[i]();
}

/** The text of a tag's value if k6 takes its type (and it takes some that its message does not name). */
export const tagText = (value) => {
  const type = typeof value;
  if (type === 'string' || type === 'number' || type === 'boolean') return String(value);
  if (type === 'symbol') return value.description ?? '';
  return value instanceof Number || value instanceof Boolean ? String(value) : undefined;
};

/** Tags as k6 takes them; `prefix` begins the error's text. */
export function tagValues(tags, prefix, known = {}) {
  const names = keys(Object(tags));
  for (let i = 0; i < names.length; i += 1) {
    const key = names[i];
    const text = tagText(tags[key]);
    if (text === undefined) {
      throw new GoError(`${prefix}invalid value for metric tag '${key}': only String, Boolean and `
        + 'Number types are accepted as a metric tag values');
    }
    known[key] = text;
  }
  return known;
}

// Methods of objects that are Go's own: its JSON knows none of them, where it refuses scripts' functions.
const methods = new Set();
const addMethod = method(Set.prototype.add);
const hasMethod = method(Set.prototype.has);
export const addGoMethod = (known) => addMethod(methods, known);
export const isGoMethod = (value) => typeof value === 'function' && hasMethod(methods, value);

/** What Go says of an argument that is no function. */
export function mustBeCallable(value, index) {
  if (typeof value === 'function') return;
  throw new TypeError(`could not convert function call parameter ${index}: `
    + `could not convert ${value} to sobek.Callable`);
}

// What QuickJS has and k6 has not, so that a script's feature tests give the same answers.
for (const name of ['queueMicrotask', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'performance',
  'FinalizationRegistry', 'DOMException', 'Float16Array', 'Iterator', 'InternalError']) {
  delete globalThis[name];
}
for (const [name, value] of Object.entries({ global: globalThis, GoError })) {
  defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

export { callPython, native };
