// jsrunner:k6/http/values — arguments as Go converts and formats them.
// @ts-check
import { goType, isGoInteger } from 'jsrunner:go_types';
import { host } from 'jsrunner:host';
import {
  DatePrototypeGetTime, MapPrototypeForEach, NumberPrototypeToExponential, RegExpPrototypeSymbolReplace,
  SetPrototypeForEach, StringPrototypeLastIndexOf, StringPrototypePadStart, StringPrototypeToWellFormed,
  encodeURIComponent,
} from 'jsrunner:more_primordials';
import {
  ArrayBufferIsView, ArrayIsArray, ArrayPrototypeJoin, ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSort,
  DataView, JSONStringify, Number, NumberIsFinite, ObjectKeys, SafeArray, String, StringPrototypeCharCodeAt,
  StringPrototypeSlice, SymbolPrototypeGetDescription, isInstance,
} from 'jsrunner:primordials';
import { isNullish } from 'jsrunner:values';

const DIGITS = '0123456789ABCDEF';

/** Return a number as Go's %v writes it. */
const goNumber = (value) => {
  if (isGoInteger(value)) return String(value);
  if (value === 0) return '-0';
  if (!NumberIsFinite(value)) return value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN';
  const text = NumberPrototypeToExponential(value);
  const end = StringPrototypeLastIndexOf(text, 'e');
  const power = Number(StringPrototypeSlice(text, end + 1));
  if (power >= -4 && power < 6) return String(value);
  const digits = StringPrototypePadStart(StringPrototypeSlice(text, end + 2), 2, '0');
  return StringPrototypeSlice(text, 0, end) + 'e' + text[end + 1] + digits;
};

const goList = (items) => '[' + ArrayPrototypeJoin(ArrayPrototypeMap(items, goShown), ' ') + ']';

const goMap = (value) => {
  const pairs = ArrayPrototypeMap(ArrayPrototypeSort(ObjectKeys(value)), (name) => name + ':' + goShown(value[name]));
  return 'map[' + ArrayPrototypeJoin(pairs, ' ') + ']';
};

/** Return a value as Go's %v writes it. */
export const goShown = (value) => {
  switch (typeof value) {
    case 'number': return goNumber(value);
    case 'symbol': return SymbolPrototypeGetDescription(value) ?? '';
    case 'object': break;
    default: return value === undefined ? '<nil>' : String(value);
  }
  switch (goType(value)) {
    case '<nil>': return '<nil>';
    case 'time.Time': return host('http.moment', DatePrototypeGetTime(value));
    case 'bool': return String(value);
    case 'int64': case 'float64': return goNumber(Number(value));
    case '[]interface {}': return goList(itemsOf(value));
    case '[][2]interface {}': return goList(entriesOf(value));
    case 'sobek.ArrayBuffer': case '*sobek.Promise': return '{}'; // addresses of memory there
    default: return ArrayBufferIsView(value) && !isInstance(DataView, value) ? goList(value) : goMap(value);
  }
};

/** Return the items of a list or a Set. */
const itemsOf = (value) => {
  if (ArrayIsArray(value)) return value;
  const items = SafeArray();
  SetPrototypeForEach(value, (item) => ArrayPrototypePush(items, item));
  return items;
};

/** Return the [key, value] of a Map. */
const entriesOf = (map) => {
  const pairs = SafeArray();
  MapPrototypeForEach(map, (value, key) => ArrayPrototypePush(pairs, [key, value]));
  return pairs;
};

/** Return a value as Go's %#v writes it. */
export const goSyntax = (value) => {
  if (isNullish(value)) return 'interface {}(nil)';
  if (ArrayIsArray(value)) return '[]interface {}{' + ArrayPrototypeJoin(ArrayPrototypeMap(value, goSyntax), ', ') + '}';
  return typeof value === 'string' ? JSONStringify(value) : String(value);
};

/** Return a value of a form's field. */
export const formValue = (value) => {
  const type = goType(value);
  if (type === '<nil>') return '';
  if (type !== '[]interface {}' && type !== 'map[string]interface {}') return goShown(value);
  host('http.warn', 'cannot urlencode a nested ' + type + ' value in a request form body; encoding it as an '
    + 'empty value, use JSON.stringify() to send structured data');
  return '';
};

const escapedCharacter = ({ 0: character }) => {
  if (character === '%20') return '+';
  const code = StringPrototypeCharCodeAt(character, 0);
  return '%' + DIGITS[code >> 4] + DIGITS[code & 15];
};
/** Escape a text as Go's url.QueryEscape does. */
const escaped = (text) => RegExpPrototypeSymbolReplace(
  /%20|[!'()*]/g, encodeURIComponent(StringPrototypeToWellFormed(text)), escapedCharacter,
);

/** Return fields as application/x-www-form-urlencoded, sorted by names. */
export const formOf = (fields) => {
  const pairs = SafeArray();
  const names = ArrayPrototypeSort(ObjectKeys(fields));
  for (let i = 0; i < names.length; i += 1) {
    const value = fields[names[i]];
    const several = goType(value) === '[]interface {}' ? itemsOf(value) : [value];
    for (let j = 0; j < several.length; j += 1) {
      ArrayPrototypePush(pairs, escaped(names[i]) + '=' + escaped(formValue(several[j])));
    }
  }
  return ArrayPrototypeJoin(pairs, '&');
};
