// jsrunner:k6/http/values — arguments as Go takes and writes them.
// @ts-check
import { goType } from 'jsrunner:bytes';
import { host } from 'jsrunner:host';
import {
  ArrayIsArray, ArrayPrototypeJoin, ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSort, JSONStringify, Number,
  NumberIsFinite, NumberIsSafeInteger, NumberPrototypeToExponential, ObjectKeys, RegExpPrototypeSymbolReplace,
  SafeArray, String, StringPrototypeCharCodeAt, StringPrototypeLastIndexOf, StringPrototypePadStart,
  StringPrototypeSlice, StringPrototypeToWellFormed, encodeURIComponent,
} from 'jsrunner:primordials';
import { isNullish, isObject } from 'jsrunner:values';

const DIGITS = '0123456789ABCDEF';

/** A number as Go's %v writes it. */
const goNumber = (value) => {
  if (NumberIsSafeInteger(value)) return String(value);
  if (!NumberIsFinite(value)) return value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN';
  const text = NumberPrototypeToExponential(value);
  const end = StringPrototypeLastIndexOf(text, 'e');
  const power = Number(StringPrototypeSlice(text, end + 1));
  if (power >= -4 && power < 6) return String(value);
  const digits = StringPrototypePadStart(StringPrototypeSlice(text, end + 2), 2, '0');
  return StringPrototypeSlice(text, 0, end) + 'e' + text[end + 1] + digits;
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
  if (ArrayIsArray(value)) return '[]interface {}{' + ArrayPrototypeJoin(ArrayPrototypeMap(value, goSyntax), ', ') + '}';
  return typeof value === 'string' ? JSONStringify(value) : String(value);
};

/** A value of a form's field. */
export const formValue = (value) => {
  if (isNullish(value)) return '';
  if (typeof value === 'number') return goNumber(value);
  if (typeof value === 'object') {
    host('http.warn', 'cannot urlencode a nested ' + goType(value) + ' value in a request form body; encoding it as an '
      + 'empty value, use JSON.stringify() to send structured data');
    return '';
  }
  return String(value);
};

const escapedCharacter = ({ 0: character }) => {
  if (character === '%20') return '+';
  const code = StringPrototypeCharCodeAt(character, 0);
  return '%' + DIGITS[code >> 4] + DIGITS[code & 15];
};
/** As Go's url.QueryEscape. */
const escaped = (text) => RegExpPrototypeSymbolReplace(
  /%20|[!'()*]/g, encodeURIComponent(StringPrototypeToWellFormed(text)), escapedCharacter,
);

/** application/x-www-form-urlencoded, sorted by names. */
export const formOf = (fields) => {
  const pairs = SafeArray();
  const names = ArrayPrototypeSort(ObjectKeys(fields));
  for (let i = 0; i < names.length; i += 1) {
    const value = fields[names[i]];
    const several = ArrayIsArray(value) ? value : [value];
    for (let j = 0; j < several.length; j += 1) {
      ArrayPrototypePush(pairs, escaped(names[i]) + '=' + escaped(formValue(several[j])));
    }
  }
  return ArrayPrototypeJoin(pairs, '&');
};
