// jsrunner:html/data — names and values of data attributes as in k6.
// @ts-check
import {
  RegExpPrototypeSymbolReplace, StringPrototypePadEnd, StringPrototypePadStart, StringPrototypeToLowerCase,
} from 'jsrunner:more_primordials';
import {
  ArrayPrototypeFilter, ArrayPrototypeFind, ArrayPrototypeJoin, ArrayPrototypePush, JSONParse, Number, NumberIsFinite,
  RegExpPrototypeExec, SafeArray, SafeMap, String, StringPrototypeSlice, StringPrototypeSplit,
  StringPrototypeToUpperCase,
} from 'jsrunner:primordials';

// Words that Go's conventions write in capitals: the property of `data-user-id` is `userID`.
const CAPITALS = new SafeMap();
const WORDS = ['ACL', 'API', 'ASCII', 'CPU', 'CSS', 'DNS', 'EOF', 'ETA', 'GPU', 'GUID', 'HTML', 'HTTP',
  'HTTPS', 'ID', 'IP', 'JSON', 'LHS', 'OS', 'OAuth', 'QPS', 'RAM', 'RHS', 'RPC', 'SLA', 'SMTP', 'SQL', 'SSH', 'TCP',
  'TLS', 'TTL', 'UDP', 'UI', 'UID', 'URI', 'URL', 'UTF8', 'UUID', 'VM', 'XML', 'XMPP', 'XSRF', 'XSS'];
for (let i = 0; i < WORDS.length; i += 1) CAPITALS.set(WORDS[i], true);

const written = (word) => {
  if (word === 'oauth') return 'OAuth';
  const upper = StringPrototypeToUpperCase(word);
  if (CAPITALS.has(upper)) return upper;
  return StringPrototypeToUpperCase(StringPrototypeSlice(word, 0, 1)) + StringPrototypeSlice(word, 1);
};

/** Return the property's name for the text behind `data-`. */
export const propertyName = (name) => {
  const parts = StringPrototypeSplit(name, '-');
  let property = parts[0];
  for (let i = 1; i < parts.length; i += 1) {
    const words = StringPrototypeSplit(parts[i], '_');
    for (let j = 0; j < words.length; j += 1) property += written(words[j]);
  }
  return property;
};

const LENGTHS = [5, 4, 3, 2];

/** Return the text behind `data-` for a property's name. */
export const attributeName = (name) => {
  const words = SafeArray();
  let start = 0;
  for (let at = 1; at < name.length; at += 1) {
    const letter = name[at];
    if (letter === StringPrototypeToLowerCase(letter) || letter !== StringPrototypeToUpperCase(letter)) continue;
    const from = start;
    const length = ArrayPrototypeFind(LENGTHS, (count) => CAPITALS.has(StringPrototypeSlice(name, from, from + count)));
    if (length) {
      ArrayPrototypePush(words, StringPrototypeSlice(name, start, start + length));
      at += length - 1;
    } else {
      ArrayPrototypePush(words, StringPrototypeSlice(name, start, at));
    }
    start = at;
  }
  ArrayPrototypePush(words, StringPrototypeSlice(name, start));
  const joined = ArrayPrototypeJoin(ArrayPrototypeFilter(words, (word) => word !== ''), '-');
  return RegExpPrototypeSymbolReplace(/_/g, StringPrototypeToLowerCase(joined), () => '-');
};

/** Return a number without an exponent, as Go prints it. */
const plainNumber = (value) => {
  const parts = RegExpPrototypeExec(/^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/, String(value));
  if (parts === null) return value === 0 && 1 / value < 0 ? '-0' : String(value);
  const digits = parts[2] + (parts[3] ?? '');
  const exponent = Number(parts[4]);
  return parts[1] + (exponent < 0
    ? '0.' + StringPrototypePadStart(digits, digits.length - exponent - 1, '0')
    : StringPrototypePadEnd(digits, exponent + 1, '0'));
};

/** Convert an attribute's text to a value: undefined, a boolean, a number, an object, a list or the text itself. */
export const dataValue = (value) => {
  if (value === '' || value === 'null' || value === 'undefined') return undefined;
  if (value === 'true' || value === 'false') return value === 'true';
  if (value[0] === '{' || value[0] === '[') {
    try {
      return JSONParse(value);
    } catch {
      return value;
    }
  }
  if (value === 'NaN') return NaN;
  if (value === '+Inf' || value === '-Inf') return value === '+Inf' ? Infinity : -Infinity;
  const number = Number(value);
  return NumberIsFinite(number) && plainNumber(number) === value ? number : value;
};
