// jsrunner:host — the only way down to Python, and Python's way in. Modules call `host`; Python calls `entries`.
// It takes dukpy's bridge out of the scripts' sight.
// @ts-check
import { GoError } from 'jsrunner:errors';
import {
  ArrayBuffer, ArrayIsArray, ArrayPrototype, ArrayPrototypeMap, ArrayPrototypePush, Error, InternalError, JSONParse,
  JSONStringify, ObjectCreate, ObjectGetOwnPropertyDescriptor, ObjectKeys, ObjectPrototype, ObjectSetPrototypeOf,
  RangeError, ReflectApply, ReflectDefineProperty, ReflectDeleteProperty, SafeArray, StringFromCharCode,
  StringPrototypeCharCodeAt, StringPrototypeStartsWith, SyntaxError, TypeError, Uint8Array, globalThis, isInstance,
} from 'jsrunner:primordials';

const bridge = globalThis.call_python;
const { token, native } = globalThis.dukpy;

// What Python can call: `interpreter.call(name, ...)` -> entries[name](...).
/** @type {Record<string, (...args: any[]) => any>} */
export const entries = { __proto__: null };

// dukpy publishes `call_python` and `dukpy` anew on every evaluation. With the C API there is none once
// the script runs. Without it setters on the global object's prototype catch that: scripts see neither,
// and the setter is how a call from Python comes in.
entries.hideBridge = () => {
  delete globalThis.call_python;
  delete globalThis.dukpy;
};
entries.hideBridge();
if (!native) {
  let armed;
  ObjectSetPrototypeOf(globalThis, ObjectCreate(ObjectPrototype, {
    __proto__: null,
    call_python: { __proto__: null, get() {}, set() {} },
    dukpy: {
      __proto__: null,
      get() {
        const call = armed;
        armed = undefined;
        return call;
      },
      set(value) {
        if (value && value.token === token) armed = () => ReflectApply(entries[value.name], undefined, value.args);
      },
    },
  }));
}

// Buffers and long strings cross beside the JSON, in these lists (see native.py).
const incoming = SafeArray();
const outgoing = SafeArray();
const rejected = SafeArray();
/** The timers that wait, see timers.js. Python reads them when the VU was interrupted. */
export const timers = SafeArray();

/** A copy without prototypes, which no toJSON of a script's is asked about. */
const bare = (value) => {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayIsArray(value)) return ArrayPrototypeMap(value, bare);
  const copy = { __proto__: null };
  const names = ObjectKeys(value);
  for (let i = 0; i < names.length; i += 1) copy[names[i]] = bare(value[names[i]]);
  return copy;
};

/** Values of ours as JSON: lists, records, texts, numbers. */
const jsonOf = (value) => JSONStringify('toJSON' in ArrayPrototype ? bare(value) : value);

/** Take a script's toJSON out of the way of dukpy's bridge, which makes JSON of a list of its own. */
const withoutToJSON = (name) => {
  const owners = [ArrayPrototype, ObjectPrototype];
  const hidden = ArrayPrototypeMap(owners, (owner) => ObjectGetOwnPropertyDescriptor(owner, 'toJSON'));
  ReflectDeleteProperty(ArrayPrototype, 'toJSON');
  ReflectDeleteProperty(ObjectPrototype, 'toJSON');
  try {
    return bridge(name);
  } finally {
    for (let i = 0; i < owners.length; i += 1) {
      if (hidden[i]) ReflectDefineProperty(owners[i], 'toJSON', ObjectSetPrototypeOf(hidden[i], null));
    }
  }
};

/**
 * Call an operation of Python's by a name without NUL characters. What the name has behind its first space, or
 * behind a first character below a space, are the arguments. Throws what `hostError` understands.
 */
export const callPython = (name) => ('toJSON' in ArrayPrototype ? withoutToJSON(name) : bridge(name));

/** What Python calls by the C API: an entry by its name, arguments and result as JSON. */
const dispatch = (name, args) => jsonOf(ReflectApply(entries[name], undefined, JSONParse(args)));
const shown = {
  __proto__: null,
  __dispatch: dispatch,
  __incoming: incoming,
  __outgoing: outgoing,
  __rejected: rejected,
  __timers: timers,
};
const shownNames = ObjectKeys(shown);
for (let i = 0; i < shownNames.length; i += 1) globalThis[shownNames[i]] = shown[shownNames[i]];
entries.hideArrays = () => {
  for (let i = 0; i < shownNames.length; i += 1) delete globalThis[shownNames[i]];
};

const errorTypes = {
  __proto__: null, TypeError, RangeError, SyntaxError, Error,
};
const WHILE_CALLING = 'Error while calling Python Function';

/** The exception that Python meant when a call down failed. Never returns if the VU is to stop. */
export function hostError(error) {
  if (!isInstance(InternalError, error)) return error;
  if (StringPrototypeStartsWith(error.message, WHILE_CALLING)) {
    const described = callPython('$error'); // [class, text, fields]
    if (described[0] === 'GoError') return new GoError(described[1], described[2]);
    if (described[0] !== 'interrupted') return new errorTypes[described[0]](described[1]);
  } else if (error.message !== 'interrupted') {
    return error;
  }
  for (;;); // ends by the interrupt that is under way, which no script can catch
}

/** Call a Python operation with JSON-like arguments. */
export function host(operation, ...args) {
  try {
    return callPython(operation + ' ' + jsonOf(args));
  } catch (error) {
    throw hostError(error);
  }
}

/** Prepare an ArrayBuffer for a host call; Python reads it with `interpreter.buffer(packed)`. */
export const pack = native
  ? (buffer) => {
    ArrayPrototypePush(outgoing, buffer);
    return outgoing.length - 1;
  }
  : (buffer) => {
    const bytes = new Uint8Array(buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 1) text += StringFromCharCode(bytes[i]);
    return text;
  };

/** Prepare a long string for a host call; Python reads it with `interpreter.text(packed)`. */
export const packText = native ? pack : (text) => text;

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
  : (crossed) => {
    const text = crossed[1];
    if (crossed[0] === 'text') return text;
    const buffer = new ArrayBuffer(text.length);
    const bytes = new Uint8Array(buffer);
    for (let i = 0; i < text.length; i += 1) bytes[i] = StringPrototypeCharCodeAt(text, i);
    return buffer;
  };

// Which promises were rejected and never handled: their reasons, oldest first.
const takeRejections = (indices) => {
  const reasons = ArrayPrototypeMap(indices, (index) => rejected[index]);
  rejected.length = 0;
  return reasons;
};

/**
 * Run all promise jobs. Returns the reasons of unhandled rejections (mostly none), or undefined
 * if the caller must return to Python for it, where all jobs are run.
 */
export const drainJobs = native
  ? () => (callPython('\x03') === 1 ? takeRejections(callPython('$rejections')) : SafeArray())
  : () => undefined;

export { native };
