// jsrunner:host — the first module of every interpreter and the only way down to Python.
// It takes dukpy's bridge out of the scripts' sight, gives modules their calls, and describes errors.
// @ts-check

const callPython = globalThis.call_python;
const { token, native } = globalThis.dukpy;
const { defineProperty } = Object;

/** Taken from the scripts' sight below, like all that k6 has not. */
export const { WeakRef } = globalThis;

// What Python can call: `interpreter.call(name, ...)` -> entries[name](...).
/** @type {Record<string, (...args: any[]) => any>} */
export const entries = {};

// dukpy publishes `call_python` and `dukpy` anew on every evaluation. Setters on the global object's
// prototype catch that: scripts see neither, and the setter is how a call from Python comes in.
let armed;
delete globalThis.call_python;
delete globalThis.dukpy;
Object.setPrototypeOf(globalThis, Object.create(Object.prototype, {
  call_python: { get() {}, set() {} },
  dukpy: {
    get() {
      const call = armed;
      armed = undefined;
      return call;
    },
    set(value) {
      if (value && value.token === token) armed = () => entries[value.name](...value.args);
    },
  },
}));

// Buffers and long strings cross beside the JSON, in these arrays (see native.py).
const incoming = [];
const outgoing = [];
const rejected = [];
/** The timers that wait, see timers.js. Python reads them when the VU was interrupted. */
export const timers = [];
const arrays = {
  __incoming: incoming, __outgoing: outgoing, __rejected: rejected, __timers: timers,
};
Object.assign(globalThis, arrays);
entries.hideArrays = () => {
  for (const name of Object.keys(arrays)) delete globalThis[name];
};

/** What of the script's life it is: init code may do less (and more) than the VU's functions. */
export const context = { inInit: true };

/** A value of Go's error type, as k6 hands it to scripts: no Error, only a text. */
export class GoValue {
  #text;
  constructor(text, fields) {
    this.#text = text;
    Object.assign(this, fields);
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

const errorTypes = { GoError, TypeError, RangeError, SyntaxError, Error };
const InternalError = globalThis.InternalError;
const WHILE_CALLING = 'Error while calling Python Function';

/** The exception that Python meant when a call down failed. Never returns if the VU is to stop. */
export function hostError(error) {
  if (!(error instanceof InternalError)) return error;
  if (error.message.startsWith(WHILE_CALLING)) {
    const [kind, text, fields] = callPython('$error');
    if (kind !== 'interrupted') return new errorTypes[kind](text, fields);
  } else if (error.message !== 'interrupted') {
    return error;
  }
  for (;;); // ends by the interrupt that is under way, which no script can catch
}

/** Call a Python operation with JSON-like arguments. */
export function host(op, ...args) {
  try {
    return callPython(op, ...args);
  } catch (error) {
    throw hostError(error);
  }
}

// A JSON argument is cut at a NUL by the bridge only in the operation's name; `\u0000` is safe in it.

/** Prepare an ArrayBuffer for a host call; Python reads it with `interpreter.buffer(packed)`. */
export const pack = native
  ? (buffer) => outgoing.push(buffer) - 1
  : (buffer) => {
    const bytes = new Uint8Array(buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) {
      text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    }
    return text;
  };

/** Prepare a long string for a host call; Python reads it with `interpreter.text(packed)`. */
export const packText = native ? (text) => outgoing.push(text) - 1 : (text) => text;

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
  for (const frame of frames) {
    const file = frame.getFileName();
    if (!file || !(file.startsWith('file:') || file.startsWith('https:'))) continue;
    const place = `${file}:${placeOf(file, frame.getLineNumber(), frame.getColumnNumber())}(0)`;
    const name = frame.getFunctionName();
    text += name ? `\n\tat ${name} (${place})` : `\n\tat ${place}`;
  }
  return `${text}\n`;
};
Error.stackTraceLimit = 50;

// Modules that were translated: file -> the mappings of a source map, until they are decoded.
const mapped = new Map();
/** Positions in this file are those of another text (https://tc39.es/ecma426/, "mappings"). */
export const mapPositions = (file, mappings) => mapped.set(file, mappings);

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Per line [column, line there, column there] of each piece, all from 0. */
const decode = (mappings) => {
  let line = 0;
  let column = 0;
  return mappings.split(';').map((pieces) => {
    let start = 0;
    return pieces.split(',').filter(Boolean).map((piece) => {
      const fields = [];
      let value = 0;
      let shift = 0;
      for (const digit of piece) {
        const bits = DIGITS.indexOf(digit);
        value += (bits & 31) << shift;
        shift += 5;
        if (bits < 32) {
          fields.push(value & 1 ? -(value >> 1) : value >> 1);
          value = 0;
          shift = 0;
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
  if (!mapped.has(file)) return `${line}:${column}`;
  if (typeof mapped.get(file) === 'string') mapped.set(file, decode(mapped.get(file)));
  const piece = mapped.get(file)[line - 1]?.findLast(([start]) => start < column);
  return piece ? `${piece[1] + 1}:${piece[2] + 1}` : `${line}:${column}`;
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
    text = Object.prototype.toString.call(error);
  }
  const stack = typeof error === 'object' && error !== null && Object.hasOwn(error, 'stack')
    ? error.stack : undefined;
  if (typeof stack !== 'string') {
    if (!called || !(error instanceof Error)) return text;
    const { name, fileName, lineNumber, columnNumber } = called;
    return `${text}\n\tat ${name} (${fileName}:${lineNumber}:${columnNumber}(0))\n`;
  }
  const frames = stack.indexOf('\n\tat ');
  return frames < 0 ? text : text + stack.slice(frames);
}

/** Whether the text is the code of a function: then it is no ES module. */
entries.isFunctionBody = (text) => {
  try {
    return Boolean(Function('module', 'exports', `'use strict';${text}`));
  } catch {
    return false;
  }
};

// Which promises were rejected and never handled: their reasons, oldest first.
const takeRejections = (indices) => {
  const reasons = indices.map((index) => rejected[index]);
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
const origin = Date.now() - performance.now();
export const now = () => origin + performance.now();

// Samples wait here until control leaves for Python anyway: [metric, value, time, tags].
const samples = [];
const flushers = [];
/** Have `send()` called before control leaves for longer than a moment. */
export const onFlush = (send) => flushers.push(send);
export function emit(metric, value, tags) {
  if (!Number.isFinite(value)) value = String(value); // which JSON cannot say as a number
  if (samples.push([metric, value, now(), tags]) >= 64) flushSamples();
}
export function flushSamples() {
  if (samples.length) callPython('$emit', samples.splice(0));
}
export function flush() {
  flushSamples();
  for (let i = 0; i < flushers.length; i += 1) flushers[i]();
}

/** Tags as k6 takes them: strings, booleans and numbers; `prefix` begins the error's text. */
export function tagValues(tags, prefix, known = {}) {
  for (const key of Object.keys(Object(tags))) {
    const value = tags[key];
    const type = typeof value;
    if (type !== 'string' && type !== 'number' && type !== 'boolean') {
      throw new GoError(`${prefix}invalid value for metric tag '${key}': only String, Boolean and `
        + 'Number types are accepted as a metric tag values');
    }
    known[key] = String(value);
  }
  return known;
}

/** What Go says of an argument that is no function. */
export function mustBeCallable(value, index) {
  if (typeof value === 'function') return;
  throw new TypeError(`could not convert function call parameter ${index}: `
    + `could not convert ${value} to sobek.Callable`);
}

/** For what lives as long as an object of the script's; scripts do not see it. */
export const { FinalizationRegistry } = globalThis;

// What QuickJS has and k6 has not, so that a script's feature tests give the same answers.
for (const name of ['queueMicrotask', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'performance',
  'FinalizationRegistry', 'DOMException', 'Float16Array', 'Iterator', 'InternalError']) {
  delete globalThis[name];
}
for (const [name, value] of Object.entries({ global: globalThis, GoError })) {
  defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

export { callPython, native };
