// jsrunner:positions — where an exception was thrown: stacks as k6 writes them, in the text that the author wrote.
// @ts-check
import {
  ArrayPrototypePush, Error, SafeArray, String, StringPrototypeIndexOf, StringPrototypeSplit, StringPrototypeStartsWith,
} from 'jsrunner:primordials';

// Modules that were translated: file -> the mappings of a source map, until they are decoded.
const mapped = { __proto__: null };
/** Positions in this file are those of another text (https://tc39.es/ecma426/, "mappings"). */
export const mapPositions = (file, mappings) => {
  mapped[file] = mappings;
};

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** The numbers of a piece, in base64 with a sign in the lowest bit. */
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

/** Per line [column, line there, column there] of each piece, all from 0. */
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

/** `line:column` in the text that the script's author has written. */
const placeOf = (file, line, column) => {
  if (!mapped[file]) return line + ':' + column;
  if (typeof mapped[file] === 'string') mapped[file] = decode(mapped[file]);
  const pieces = mapped[file][line - 1] ?? SafeArray();
  let at = pieces.length - 1;
  while (at >= 0 && pieces[at][0] >= column) at -= 1;
  return at < 0 ? line + ':' + column : String(pieces[at][1] + 1) + ':' + (pieces[at][2] + 1);
};

/** `name: message`, as the error would be written if nobody had changed how. */
const headOf = (error) => {
  try {
    const { name, message } = error;
    if (name === '' || message === '') return String(name) + String(message);
    return String(name ?? 'Error') + ': ' + String(message ?? '');
  } catch {
    return 'Error';
  }
};

// Stacks as k6 writes them, without our own frames: `\tat name (file:line:column(pc))`.
Error.prepareStackTrace = (error, frames) => {
  let text = headOf(error);
  for (let i = 0; i < frames.length; i += 1) {
    const frame = frames[i];
    const file = frame.getFileName();
    if (!file || !(StringPrototypeStartsWith(file, 'file:') || StringPrototypeStartsWith(file, 'https:'))) continue;
    const place = file + ':' + placeOf(file, frame.getLineNumber(), frame.getColumnNumber()) + '(0)';
    const name = frame.getFunctionName();
    text += name ? '\n\tat ' + name + ' (' + place + ')' : '\n\tat ' + place;
  }
  return text + '\n';
};
Error.stackTraceLimit = 50;
// The frames of a stack have functions of ours: no script is to format it, nor to leave it out.
delete Error.prepareStackTrace;
delete Error.stackTraceLimit;
delete Error.captureStackTrace;
