// console: five levels, arguments joined by a space, values written as k6 writes them.
// @ts-check
import { load } from 'jsrunner:globals/environment';
import { entries, host } from 'jsrunner:host';
import { defineGlobal } from 'jsrunner:language';
import { SafeArray, String, StringPrototypeSlice } from 'jsrunner:primordials';

// Most scripts log texts and numbers: what other values need is loaded with the first of them.
let nested;
entries.provideValues = (write) => {
  nested = write;
};
const written = (value) => {
  if (!nested) load('jsrunner:console_values');
  return nested(value, SafeArray());
};

/** A value as an argument of console.log. */
const shown = (value) => {
  switch (typeof value) {
    case 'string': return value;
    case 'number': return value === 0 ? '0' : String(value);
    case 'undefined': return 'undefined';
    case 'boolean': return String(value);
    case 'symbol': return StringPrototypeSlice(String(value), 7, -1);
    default: return written(value);
  }
};

const writer = (level) => (...values) => {
  let text = values.length ? shown(values[0]) : '';
  for (let i = 1; i < values.length; i += 1) text += ' ' + shown(values[i]);
  host('console.log', level, text);
};

defineGlobal('console', {
  debug: writer('debug'),
  error: writer('error'),
  info: writer('info'),
  log: writer('info'),
  warn: writer('warning'),
});
