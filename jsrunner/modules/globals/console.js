// console: five levels, arguments joined by a space, values written as k6 writes them.
// @ts-check
import { later } from 'jsrunner:core';
import { host } from 'jsrunner:host';
import { String, StringPrototypeSlice } from 'jsrunner:primordials';

/** Return the text of a value of a kind that few scripts log. */
const written = later('jsrunner:console_values', 'written');

/** Return the text of an argument of console.log. */
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

export const console = {
  debug: writer('debug'),
  error: writer('error'),
  info: writer('info'),
  log: writer('info'),
  warn: writer('warning'),
};
