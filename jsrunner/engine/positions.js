// jsrunner:positions — stacks of exceptions as k6 writes them, with positions in the author's text.
// @ts-check
import { rememberThrown } from 'jsrunner:descriptions';
import { retext } from 'jsrunner:error_texts';
import {
  ArrayPrototypePush, Boolean, Error, FunctionPrototypeToString, ObjectGetOwnPropertyDescriptor, ObjectHasOwn,
  ReflectDefineProperty, SafeArray, String, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeSplit, StringPrototypeStartsWith, SyntaxError, isInstance,
} from 'jsrunner:primordials';

// Translated modules: file -> the mappings of its source map, encoded until their first use.
const mapped = { __proto__: null };
/** Map positions in this file to positions in another text (https://tc39.es/ecma426/, "mappings"). */
export const mapPositions = (file, mappings) => {
  mapped[file] = mappings;
};

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Return the numbers of a piece of mappings: base64 digits, with the sign in the lowest bit. */
const fieldsOf = (piece) => {
  const fields = SafeArray();
  let value = 0;
  let width = 0;
  for (let i = 0; i < piece.length; i += 1) {
    const bits = StringPrototypeIndexOf(DIGITS, piece[i]);
    value += (bits & 31) << width;
    width += 5;
    if (bits < 32) {
      ArrayPrototypePush(fields, value & 1 ? -(value >> 1) : value >> 1);
      value = 0;
      width = 0;
    }
  }
  return fields;
};

/** Decode mappings: per line, [column, original line, original column] of each piece, all from 0. */
const decode = (mappings) => {
  const lines = StringPrototypeSplit(mappings, ';');
  let line = 0;
  let column = 0;
  for (let i = 0; i < lines.length; i += 1) {
    const pieces = StringPrototypeSplit(lines[i], ',');
    const decoded = SafeArray();
    let start = 0;
    for (let j = 0; j < pieces.length; j += 1) {
      const fields = fieldsOf(pieces[j]);
      if (fields.length) {
        start += fields[0];
        line += fields[2] ?? 0;
        column += fields[3] ?? 0;
        ArrayPrototypePush(decoded, [start, line, column]);
      }
    }
    lines[i] = decoded;
  }
  return lines;
};

/** Return `line:column` in the author's text. */
const placeOf = (file, line, column) => {
  if (!mapped[file]) return line + ':' + column;
  if (typeof mapped[file] === 'string') mapped[file] = decode(mapped[file]);
  const pieces = mapped[file][line - 1] ?? SafeArray();
  let at = pieces.length - 1;
  while (at >= 0 && pieces[at][0] >= column) at -= 1;
  return at < 0 ? line + ':' + column : String(pieces[at][1] + 1) + ':' + (pieces[at][2] + 1);
};

/** Return `name: message`, as an unchanged Error.prototype.toString would write it. */
const headOf = (error) => {
  try {
    const { name, message } = error;
    const kind = name === undefined ? 'Error' : String(name);
    const text = message === undefined ? '' : String(message);
    return kind + (kind && text ? ': ' : '') + text;
  } catch {
    return 'Error';
  }
};

const isScripts = (file) => StringPrototypeStartsWith(file, 'file:') || StringPrototypeStartsWith(file, 'https:');

/** Return true if a frame is code of a script. */
const isScriptsFrame = (frame) => {
  const file = frame?.getFileName();
  return Boolean(file) && isScripts(file);
};

/** Return the name of a frame's function in a stack; undefined if the frame is left out. */
const shownName = (frame) => {
  const name = frame.getFunctionName();
  if (!name) return '';
  const known = frame.getFunction();
  if (ObjectGetOwnPropertyDescriptor(known, 'prototype')?.writable === false) { // a class
    return StringPrototypeIncludes(FunctionPrototypeToString(known), 'constructor') ? '' : undefined;
  }
  const isAccessor = StringPrototypeStartsWith(name, 'get ') || StringPrototypeStartsWith(name, 'set ');
  return isAccessor ? StringPrototypeSlice(name, 4) : name;
};

/** Return a stack as k6 writes it, without jsrunner's frames: `\tat name (file:line:column(pc))`, `\tat name (native)`. */
const framesText = (frames) => {
  let text = '';
  for (let i = 0; i < frames.length; i += 1) {
    const frame = frames[i];
    if (frame.isNative()) {
      const name = isScriptsFrame(frames[i + 1]) && frame.getFunctionName();
      if (name) text += '\n\tat ' + name + ' (native)';
    } else if (isScriptsFrame(frame)) {
      const file = frame.getFileName();
      const place = file + ':' + placeOf(file, frame.getLineNumber(), frame.getColumnNumber()) + '(0)';
      const name = shownName(frame);
      if (name !== undefined) text += name ? '\n\tat ' + name + ' (' + place + ')' : '\n\tat ' + place;
    }
  }
  return text + '\n';
};

const defineStack = (error, value) => {
  ReflectDefineProperty(error, 'stack', {
    __proto__: null, value, writable: true, configurable: true,
  });
};

/** Define the error's stack as a getter, because a class of the script sets the error's name after its creation. */
const addStack = (error, frames) => {
  ReflectDefineProperty(error, 'stack', {
    __proto__: null,
    configurable: true,
    get() {
      const stack = headOf(error) + framesText(frames);
      defineStack(error, stack);
      return stack;
    },
    set(value) {
      defineStack(this, value);
    },
  });
};

/** The hook that the engine calls when an error is made, and whenever a value is thrown. */
export const prepareStackTrace = (error, frames) => {
  if (typeof error === 'object' && error !== null && isInstance(Error, error) && !ObjectHasOwn(error, 'stack')) {
    retext(error, frames);
    if (isInstance(SyntaxError, error)) return headOf(error) + framesText(frames); // Python reads it: dukpy calls no getter
    addStack(error, frames);
  } else if (!frames.length || frames[0].isNative() || isScriptsFrame(frames[0])) { // else ours throw it on
    rememberThrown(error, frames, framesText);
  }
  return '';
};
