// jsrunner:k6/http/values — arguments as Go takes and writes them.
// @ts-check
import {
  Number, Object, String, host, isArray, isFinite, join, keys, map, method, part, push, replaceIn, sort,
  stringify,
} from 'jsrunner:host';
import { goType } from 'jsrunner:bytes';

export const isNullish = (value) => value === undefined || value === null;
export const isObject = (value) => typeof value === 'object' && value !== null;
/** A text argument: nothing is the empty text. */
export const asText = (value) => (typeof value === 'string' ? value : isNullish(value) ? '' : String(value));

const { isSafeInteger } = Number;
const exponential = method(Number.prototype.toExponential);
const wellFormed = method(String.prototype.toWellFormed);
const padStart = method(String.prototype.padStart);
const codeOf = method(String.prototype.charCodeAt);
const positionOfLast = method(String.prototype.lastIndexOf);
const DIGITS = '0123456789ABCDEF';
const escapeURI = encodeURIComponent;

/** A number as Go's %v writes it. */
const goNumber = (value) => {
  if (isSafeInteger(value)) return String(value);
  if (!isFinite(value)) return value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN';
  const text = exponential(value);
  const end = positionOfLast(text, 'e');
  const power = Number(part(text, end + 1));
  if (power >= -4 && power < 6) return String(value);
  return `${part(text, 0, end)}e${text[end + 1]}${padStart(part(text, end + 2), 2, '0')}`;
};

/** A value as Go's %v writes it. */
export const goShown = (value) => {
  if (isNullish(value)) return '<nil>';
  if (typeof value === 'number') return goNumber(value);
  return isObject(value) ? 'map[]' : String(value);
};

/** A value as Go's %#v writes it. */
export const goSyntax = (value) => {
  if (isNullish(value)) return 'interface {}(nil)';
  if (isArray(value)) return `[]interface {}{${join(map(value, goSyntax), ', ')}}`;
  return typeof value === 'string' ? stringify(value) : String(value);
};

/** A value of a form's field. */
export const formValue = (value) => {
  if (isNullish(value)) return '';
  if (typeof value === 'number') return goNumber(value);
  if (typeof value === 'object') {
    host('http.warn', `cannot urlencode a nested ${goType(value)} value in a request form body; encoding it as an `
      + 'empty value, use JSON.stringify() to send structured data');
    return '';
  }
  return String(value);
};

const escapedCharacter = (character) => {
  if (character === '%20') return '+';
  const code = codeOf(character, 0);
  return `%${DIGITS[code >> 4]}${DIGITS[code & 15]}`;
};
/** As Go's url.QueryEscape. */
const escaped = (text) => replaceIn(escapeURI(wellFormed(text)), /%20|[!'()*]/g, escapedCharacter);

/** application/x-www-form-urlencoded, sorted by names. */
export const formOf = (fields) => {
  const pairs = [];
  const names = sort(keys(fields));
  for (let i = 0; i < names.length; i += 1) {
    const value = fields[names[i]];
    const several = isArray(value) ? value : [value];
    for (let j = 0; j < several.length; j += 1) push(pairs, `${escaped(names[i])}=${escaped(formValue(several[j]))}`);
  }
  return join(pairs, '&');
};
