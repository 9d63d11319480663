// jsrunner:k6/http/gjson — paths into JSON values: https://github.com/tidwall/gjson/blob/master/SYNTAX.md
// A missing value is undefined. JSON lines (paths that begin with `..`) are not supported.
// @ts-check
import { NumberParseFloat, StringPrototypeToLowerCase } from 'jsrunner:more_primordials';
import {
  ArrayFromSafe, ArrayIsArray, ArrayPrototypeFilter, ArrayPrototypeFind, ArrayPrototypeMap, ArrayPrototypePush,
  JSONParse, JSONStringify, ObjectCreate, ObjectHasOwn, ObjectKeys, ObjectPrototype, RegExpPrototypeExec, SafeArray,
  String, StringPrototypeIncludes, StringPrototypeSlice, StringPrototypeTrim,
} from 'jsrunner:primordials';
import { isObject, setOwn } from 'jsrunner:values';

const own = (object, key) => (ObjectHasOwn(object, key) ? object[key] : undefined);
const isAt = (text, part, at) => StringPrototypeSlice(text, at, at + part.length) === part;
const isDigits = (text) => RegExpPrototypeExec(/^\d+$/, text) !== null;
const isThere = (item) => item !== undefined;

/** Return true if a text matches a pattern of `*`, `?` and escaped characters. */
const matches = (text, pattern) => {
  let at = 0;
  let from = 0;
  let star = -1; // behind the last `*`, which took the text up to `taken`
  let taken = 0;
  while (at < text.length) {
    const isEscaped = pattern[from] === '\\' && from + 1 < pattern.length;
    const wanted = pattern[isEscaped ? from + 1 : from];
    if (wanted === '*' && !isEscaped) {
      from += 1;
      star = from;
      taken = at;
    } else if (from < pattern.length && (wanted === text[at] || (wanted === '?' && !isEscaped))) {
      from += isEscaped ? 2 : 1;
      at += 1;
    } else if (star >= 0) {
      taken += 1;
      at = taken;
      from = star;
    } else {
      return false;
    }
  }
  while (pattern[from] === '*') from += 1;
  return from === pattern.length;
};

const unescaped = (part) => {
  let text = '';
  for (let i = 0; i < part.length; i += 1) {
    if (part[i] === '\\' && i + 1 < part.length) i += 1;
    text += part[i];
  }
  return text;
};

// -- lists and objects that paths make -------------------------------------------------------------------

/** Return the list of the arguments of `append`. */
const listOf = (fill) => {
  const list = SafeArray();
  fill((item) => ArrayPrototypePush(list, item));
  return ArrayFromSafe(list);
};

const recordOf = (pairs) => {
  const record = ObjectCreate(ObjectPrototype);
  for (let i = 0; i < pairs.length; i += 1) setOwn(record, pairs[i][0], pairs[i][1]);
  return record;
};

const pairsOf = (object) => ArrayPrototypeMap(ObjectKeys(object), (key) => [key, object[key]]);
const valuesOf = (object) => ArrayPrototypeMap(ObjectKeys(object), (key) => object[key]);

// -- modifiers -----------------------------------------------------------------------------------------

const appendFlat = (list, append, depth) => {
  for (let i = 0; i < list.length; i += 1) {
    if (depth > 0 && ArrayIsArray(list[i])) appendFlat(list[i], append, depth - 1);
    else append(list[i]);
  }
};

const flatten = (value, deep) => (
  ArrayIsArray(value) ? listOf((append) => appendFlat(value, append, deep ? Infinity : 1)) : value
);

const dig = (value, path, append) => {
  const here = get(value, path);
  if (here !== undefined) append(here);
  if (!isObject(value)) return;
  const inner = valuesOf(value);
  for (let i = 0; i < inner.length; i += 1) dig(inner[i], path, append);
};

const join = (value) => {
  if (!ArrayIsArray(value)) return value;
  const joined = ObjectCreate(ObjectPrototype);
  for (let i = 0; i < value.length; i += 1) {
    const pairs = isObject(value[i]) ? pairsOf(value[i]) : SafeArray();
    for (let j = 0; j < pairs.length; j += 1) setOwn(joined, pairs[j][0], pairs[j][1]);
  }
  return joined;
};

const group = (value) => {
  const rows = SafeArray();
  const columns = isObject(value) ? pairsOf(value) : SafeArray();
  for (let i = 0; i < columns.length; i += 1) {
    const key = columns[i][0];
    const column = columns[i][1];
    for (let row = 0; ArrayIsArray(column) && row < column.length; row += 1) {
      rows[row] ??= ObjectCreate(ObjectPrototype);
      setOwn(rows[row], key, column[row]);
    }
  }
  return ArrayFromSafe(rows);
};

const reversed = (list) => {
  const copy = SafeArray();
  for (let i = list.length - 1; i >= 0; i -= 1) ArrayPrototypePush(copy, list[i]);
  return copy;
};

const reverse = (value) => {
  if (ArrayIsArray(value)) return ArrayFromSafe(reversed(value));
  return isObject(value) ? recordOf(reversed(pairsOf(value))) : value;
};

const parsed = (text) => {
  try {
    return JSONParse(text);
  } catch {
    return undefined;
  }
};

const keysOf = (value) => {
  if (ArrayIsArray(value)) return ArrayPrototypeMap(value, () => null);
  return isObject(value) ? ArrayPrototypeMap(ObjectKeys(value), (key) => key) : SafeArray();
};

const modifiers = {
  __proto__: null,
  this: (value) => value,
  valid: (value) => value,
  ugly: (value) => value,
  pretty: (value) => value,
  reverse,
  keys: (value) => ArrayFromSafe(keysOf(value)),
  values: (value) => (isObject(value) ? ArrayFromSafe(valuesOf(value)) : [value]),
  flatten(value, argument) {
    const options = parsed(argument);
    return flatten(value, isObject(options) && own(options, 'deep') === true);
  },
  join,
  tostr: (value) => JSONStringify(value),
  fromstr: (value) => (typeof value === 'string' ? parsed(value) : undefined),
  group,
  dig: (value, argument) => listOf((append) => dig(value, argument, append)),
};

/** Return the first position from `start` on of one of these characters, or the path's length. */
const endAt = (path, characters, start) => {
  let end = start;
  while (end < path.length && !StringPrototypeIncludes(characters, path[end])) end += 1;
  return end;
};

/** Return the end of the argument at `start`: that of the object, array or text, else the next `.` or `|`. */
const endOfArgument = (path, start) => {
  if (start >= path.length || !StringPrototypeIncludes('{["(', path[start])) return endAt(path, '.|', start);
  let depth = 0;
  for (let i = start; i < path.length; i += 1) {
    const character = path[i];
    if (character === '"') {
      i = endOfText(path, i);
      if (depth === 0) return i + 1;
    } else if (StringPrototypeIncludes('{[(', character)) {
      depth += 1;
    } else if (StringPrototypeIncludes('}])', character)) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return path.length;
};

const endOfText = (path, start) => {
  let i = start + 1;
  while (i < path.length && path[i] !== '"') i += path[i] === '\\' ? 2 : 1;
  return i;
};

/** Apply a modifier at the front of a path. Return [result, rest of the path], undefined without a modifier. */
const modified = (value, path) => {
  let end = endAt(path, '.|:', 1);
  const modifier = modifiers[StringPrototypeSlice(path, 1, end)];
  if (!modifier) return undefined;
  let argument = '';
  if (path[end] === ':') {
    const start = end + 1;
    end = endOfArgument(path, start);
    argument = StringPrototypeSlice(path, start, end);
  }
  return [modifier(value, argument), StringPrototypeSlice(path, end)];
};

// -- several paths at once: {a,"name":b} and [a,b] -----------------------------------------------------

/** Return [[name or undefined, path], ...] and the rest of the path; undefined if brackets do not match. */
const selectors = (path) => {
  const found = SafeArray();
  let depth = 0;
  let start = 1;
  let colon = 0;
  const add = (end) => {
    const name = colon ? StringPrototypeSlice(path, start, colon) : undefined;
    const selected = StringPrototypeSlice(path, colon ? colon + 1 : start, end);
    if (selected) ArrayPrototypePush(found, [name?.[0] === '"' ? parsed(name) : name, selected]);
    start = end + 1;
    colon = 0;
  };
  for (let i = 0; i < path.length; i += 1) {
    const character = path[i];
    if (character === '\\') {
      i += 1;
    } else if (character === '"') {
      i = endOfText(path, i);
    } else if (character === '@' && i === start) {
      i = endOfModifier(path, i) - 1;
    } else if (StringPrototypeIncludes('{[(', character)) {
      depth += 1;
    } else if (StringPrototypeIncludes('}])', character)) {
      depth -= 1;
      if (depth === 0) {
        add(i);
        return [found, StringPrototypeSlice(path, i + 1)];
      }
    } else if (depth === 1 && character === ':' && !colon) {
      colon = i;
    } else if (depth === 1 && character === ',') {
      add(i);
    }
  }
  return undefined;
};

const endOfModifier = (path, start) => {
  const end = endAt(path, '.|:,}]', start + 1);
  return path[end] === ':' ? endOfArgument(path, end + 1) : start + 1;
};

/** Return the name of a path in an object of several paths: its last component, or `_`. */
const lastName = (path) => {
  let start = 0;
  for (let i = 0; i < path.length; i += 1) {
    if (path[i] === '\\') i += 1;
    else if (path[i] === '.' || path[i] === '|') start = i + 1;
  }
  const name = StringPrototypeSlice(path, start);
  return RegExpPrototypeExec(/^[\w$-]+$/, name) ? name : '_';
};

const several = (value, path) => {
  const split = selectors(path);
  if (!split || (split[1] && !StringPrototypeIncludes('.|', split[1][0]))) return undefined;
  const results = ArrayPrototypeFilter(
    ArrayPrototypeMap(split[0], (one) => [one[0] ?? lastName(one[1]), get(value, one[1])]),
    (result) => result[1] !== undefined,
  );
  const made = path[0] === '[' ? ArrayFromSafe(ArrayPrototypeMap(results, (result) => result[1])) : recordOf(results);
  return [made, split[1]];
};

// -- components ----------------------------------------------------------------------------------------

/** Return true if a `.` before this text begins a new path, as `|` does. */
const beginsPath = (rest) => {
  if (rest[0] === '@') return StringPrototypeSlice(rest, 1, endAt(rest, '.|:', 1)) in modifiers;
  return rest[0] === '[' || rest[0] === '{';
};

/** Split a path at its first component. Return {part, wild, rest, pipe}; rest or pipe is missing at the path's end. */
const first = (path) => {
  let wild = false;
  for (let i = 0; i < path.length; i += 1) {
    const character = path[i];
    if (character === '\\') {
      i += 1;
    } else if (character === '|' || character === '.') {
      const part = StringPrototypeSlice(path, 0, i);
      const more = StringPrototypeSlice(path, i + 1);
      const isPipe = character === '|' || (more !== '' && beginsPath(more));
      return {
        __proto__: null, part, wild, rest: isPipe ? undefined : more, pipe: isPipe ? more : undefined,
      };
    } else if (character === '*' || character === '?') {
      wild = true;
    }
  }
  return { __proto__: null, part: path, wild };
};

/** Split a mapped path at the `|` that ends it. Return [path before it, path behind it or undefined]. */
const splitAtPipe = (path) => {
  for (let i = 0; i < path.length; i += 1) {
    if (path[i] === '\\') i += 1;
    else if (path[i] === '#' && StringPrototypeIncludes('([', path[i + 1] ?? ' ')) i = endOfArgument(path, i + 1) - 1;
    else if (path[i] === '|') return [StringPrototypeSlice(path, 0, i), StringPrototypeSlice(path, i + 1)];
  }
  return [path, undefined];
};

const OPERATORS = ['==', '!=', '!%', '<=', '>=', '=', '<', '>', '%', '!'];

/** Parse a query at the front of a path, such as `#(name=="x")`. Return {path, op, value, end}. */
const query = (text) => {
  let depth = 1;
  let operator = 0;
  let i = 2;
  for (; i < text.length; i += 1) {
    const character = text[i];
    if (depth === 1 && !operator && StringPrototypeIncludes('!=<>%', character)) operator = i;
    else if (character === '\\') i += 1;
    else if (character === '[' || character === '(') depth += 1;
    else if (character === '"') i = endOfText(text, i);
    else if (character === ']' || character === ')') {
      depth -= 1;
      if (depth === 0) break;
    }
  }
  if (depth > 0) return undefined;
  const path = StringPrototypeTrim(StringPrototypeSlice(text, 2, operator || i));
  if (!operator) return { path, op: '', value: '', end: i + 1 };
  const op = ArrayPrototypeFind(OPERATORS, (one) => isAt(text, one, operator));
  let value = StringPrototypeTrim(StringPrototypeSlice(text, operator + op.length, i));
  if (value.length > 1 && value[0] === '"' && value[value.length - 1] === '"') {
    value = parsed(value) ?? StringPrototypeSlice(value, 1, -1);
  }
  return { path, op: op === '==' ? '=' : op, value, end: i + 1 };
};

const isTrueish = (value) => {
  if (typeof value === 'string') {
    const text = StringPrototypeToLowerCase(value);
    return text === '1' || text === 't' || text === 'true';
  }
  return typeof value === 'number' ? value !== 0 : value === true || isObject(value);
};

const tilde = (value, kind) => {
  switch (kind) {
    case '*': return value !== undefined;
    case 'null': return value === undefined || value === null;
    case 'true': return isTrueish(value);
    case 'false': return !isTrueish(value);
    default: return undefined;
  }
};

const compared = (left, right, op) => {
  switch (op) {
    case '=': return left === right;
    case '!=': return left !== right;
    case '<': return left < right;
    case '<=': return left <= right;
    case '>': return left > right;
    case '>=': return left >= right;
    default: return false;
  }
};

const satisfies = (given, op, wanted) => {
  let value = given;
  let text = wanted;
  if (text[0] === '~') {
    value = tilde(value, StringPrototypeSlice(text, 1));
    text = 'true';
  }
  if (value === undefined) return false;
  if (op === '') return true;
  switch (typeof value) {
    case 'string':
      if (op === '%') return matches(value, text);
      if (op === '!%') return !matches(value, text);
      return compared(value, text, op);
    case 'number': return compared(value, NumberParseFloat(text) || 0, op);
    case 'boolean': {
      if (op === '=') return text === String(value);
      if (op === '!=') return text !== String(value);
      if (value) return op === '>' ? text === 'false' : op === '>=';
      return op === '<' ? text === 'true' : op === '<=';
    }
    default: return false;
  }
};

/** Return the value that a query compares: the item itself, or the value at the query's path. */
const subject = (item, path) => {
  if (path === '') return item;
  return isObject(item) ? get(item, path) : undefined;
};

const queried = (array, path) => {
  const asked = query(path);
  if (!asked) return undefined;
  const all = path[asked.end] === '#';
  const rest = StringPrototypeSlice(path, asked.end + (all ? 1 : 0));
  const fits = (item) => satisfies(subject(item, asked.path), asked.op, asked.value);
  if (rest && rest[0] !== '.' && rest[0] !== '|') return undefined;
  const more = StringPrototypeSlice(rest, 1);
  let pipe = rest[0] === '|' || (rest[0] === '.' && beginsPath(more)) ? more : undefined;
  let inner;
  if (rest && pipe === undefined) {
    const parts = splitAtPipe(more);
    inner = parts[0];
    pipe = parts[1];
  }
  const pick = (item) => (inner === undefined ? item : get(item, inner));
  let result;
  if (all) {
    const picked = ArrayPrototypeMap(ArrayPrototypeFilter(array, fits), pick);
    result = ArrayFromSafe(ArrayPrototypeFilter(picked, isThere));
  } else {
    const found = ArrayPrototypeFind(array, fits);
    result = found === undefined ? undefined : pick(found);
  }
  return pipe === undefined || result === undefined ? result : get(result, pipe);
};

const ofArray = (array, path) => {
  if (isAt(path, '#.', 0)) {
    const parts = splitAtPipe(StringPrototypeSlice(path, 2));
    const results = ArrayPrototypeMap(array, (item) => get(item, parts[0]));
    const mapped = ArrayFromSafe(ArrayPrototypeFilter(results, isThere));
    return parts[1] === undefined ? mapped : get(mapped, parts[1]);
  }
  if (isAt(path, '#(', 0) || isAt(path, '#[', 0)) return queried(array, path);
  const { part, rest, pipe } = first(path);
  const item = part === '#' ? array.length : isDigits(part) ? own(array, +part) : undefined;
  return follow(item, rest, pipe);
};

const follow = (value, rest, pipe) => {
  const next = rest ?? pipe;
  return next === undefined || value === undefined ? value : get(value, next);
};

/**
 * Return the value at `path` in a result of JSON.parse.
 * @returns {any}
 */
export const get = (value, path) => {
  const begin = path[0];
  if (path.length > 1) {
    let found;
    if (begin === '@') found = modified(value, path);
    else if (begin === '{' || begin === '[') found = several(value, path);
    else if (begin === '!') {
      const end = endOfArgument(path, 1);
      found = [parsed(StringPrototypeSlice(path, 1, end)), StringPrototypeSlice(path, end)];
    }
    if (found) {
      const result = found[0];
      const rest = found[1];
      return rest && result !== undefined ? get(result, StringPrototypeSlice(rest, 1)) : result;
    }
  }
  if (ArrayIsArray(value)) return ofArray(value, path);
  if (!isObject(value)) return undefined;
  const { part, wild, rest, pipe } = first(path);
  const key = wild ? ArrayPrototypeFind(ObjectKeys(value), (one) => matches(one, part)) : unescaped(part);
  return follow(key === undefined ? undefined : own(value, key), rest, pipe);
};
