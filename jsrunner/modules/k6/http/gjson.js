// jsrunner:k6/http/gjson — paths into JSON values: https://github.com/tidwall/gjson/blob/master/SYNTAX.md
// A value that is not there is undefined. JSON lines (paths that begin with `..`) are left out.
// @ts-check

const isObject = (value) => typeof value === 'object' && value !== null;
const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined);

/** Whether a text matches a pattern of `*`, `?` and escaped characters. */
const matches = (text, pattern) => {
  const source = pattern.replace(/\\(.)|([*?])|[^\\*?]+/gs, (part, escaped, wild) => {
    if (wild) return wild === '*' ? '.*' : '.';
    return RegExp.escape ? RegExp.escape(escaped ?? part) : (escaped ?? part).replace(/[^\w]/g, '\\$&');
  });
  return new RegExp('^' + source + '$', 's').test(text);
};

const unescaped = (part) => (part.includes('\\') ? part.replace(/\\(.)/gs, '$1') : part);

// -- modifiers -----------------------------------------------------------------------------------------

const flatten = (value, deep) => (Array.isArray(value) ? value.flat(deep ? Infinity : 1) : value);

const dig = (value, path, found) => {
  const here = get(value, path);
  if (here !== undefined) found.push(here);
  if (isObject(value)) for (const inner of Object.values(value)) dig(inner, path, found);
  return found;
};

const join = (value) => (Array.isArray(value) ? Object.assign({}, ...value.filter(isObject)) : value);

const group = (value) => {
  const rows = [];
  for (const [key, column] of Object.entries(isObject(value) ? value : {})) {
    if (Array.isArray(column)) column.forEach((item, i) => ((rows[i] ??= {})[key] = item));
  }
  return rows;
};

const reverse = (value) => {
  if (Array.isArray(value)) return value.toReversed();
  return isObject(value) ? Object.fromEntries(Object.entries(value).reverse()) : value;
};

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const modifiers = {
  __proto__: null,
  this: (value) => value,
  valid: (value) => value,
  ugly: (value) => value,
  pretty: (value) => value,
  reverse,
  keys: (value) => (Array.isArray(value) ? value.map(() => null) : isObject(value) ? Object.keys(value) : []),
  values: (value) => (isObject(value) ? Object.values(value) : [value]),
  flatten: (value, argument) => flatten(value, parsed(argument)?.deep === true),
  join,
  tostr: (value) => JSON.stringify(value),
  fromstr: (value) => (typeof value === 'string' ? parsed(value) : undefined),
  group,
  dig: (value, argument) => dig(value, argument, []),
};

/** The end of what begins at `start`: an object, array or text is read whole, else up to `.` or `|`. */
const endOfArgument = (path, start) => {
  if (!'{["('.includes(path[start])) {
    const end = path.slice(start).search(/[.|]/);
    return end < 0 ? path.length : start + end;
  }
  let depth = 0;
  for (let i = start; i < path.length; i += 1) {
    const character = path[i];
    if (character === '"') {
      i = endOfText(path, i);
      if (depth === 0) return i + 1;
    } else if ('{[('.includes(character)) {
      depth += 1;
    } else if ('}])'.includes(character)) {
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

/** [result, rest of the path] of a path that begins with a modifier, undefined if it is none. */
const modified = (value, path) => {
  const [, name] = /^@([^.|:]*)/.exec(path);
  const modifier = modifiers[name];
  if (!modifier) return undefined;
  let end = name.length + 1;
  let argument = '';
  if (path[end] === ':') {
    const start = end + 1;
    end = endOfArgument(path, start);
    argument = path.slice(start, end);
  }
  return [modifier(value, argument), path.slice(end)];
};

// -- several paths at once: {a,"name":b} and [a,b] -----------------------------------------------------

/** [[name or undefined, path] ...] and the rest of the path; undefined if brackets do not match. */
const selectors = (path) => {
  const found = [];
  let depth = 0;
  let start = 1;
  let colon = 0;
  const add = (end) => {
    const name = colon ? path.slice(start, colon) : undefined;
    const selected = path.slice(colon ? colon + 1 : start, end);
    if (selected) found.push([name?.startsWith('"') ? parsed(name) : name, selected]);
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
    } else if ('{[('.includes(character)) {
      depth += 1;
    } else if ('}])'.includes(character)) {
      depth -= 1;
      if (depth === 0) {
        add(i);
        return [found, path.slice(i + 1)];
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
  const colon = /^@[^.|:,}\]]*:/.exec(path.slice(start));
  return colon ? endOfArgument(path, start + colon[0].length) : start + 1;
};

const lastName = (path) => {
  const name = /(?:^|[.|])((?:\\.|[^.|\\])*)$/s.exec(path)[1];
  return /^[\w$-]+$/.test(name) ? name : '_';
};

const several = (value, path) => {
  const split = selectors(path);
  if (!split || (split[1] && !'.|'.includes(split[1][0]))) return undefined;
  const results = split[0]
    .map(([name, selected]) => [name ?? lastName(selected), get(value, selected)])
    .filter(([, result]) => result !== undefined);
  const made = path[0] === '[' ? results.map(([, result]) => result) : Object.fromEntries(results);
  return [made, split[1]];
};

// -- components ----------------------------------------------------------------------------------------

/** Whether a `.` before this begins a new path, as `|` does. */
const beginsPath = (rest) => {
  if (rest[0] === '@') return /^@([^.|:]*)/.exec(rest)[1] in modifiers;
  return rest[0] === '[' || rest[0] === '{';
};

/** A path's first component and what follows it: {part, wild, rest?, pipe?}. */
const first = (path) => {
  let wild = false;
  for (let i = 0; i < path.length; i += 1) {
    const character = path[i];
    if (character === '\\') {
      i += 1;
    } else if (character === '|') {
      return { part: path.slice(0, i), wild, pipe: path.slice(i + 1) };
    } else if (character === '.') {
      const rest = path.slice(i + 1);
      return { part: path.slice(0, i), wild, [rest && beginsPath(rest) ? 'pipe' : 'rest']: rest };
    } else if (character === '*' || character === '?') {
      wild = true;
    }
  }
  return { part: path, wild };
};

/** [what comes before a `|` that ends a mapped path, what comes behind it or undefined] */
const splitAtPipe = (path) => {
  for (let i = 0; i < path.length; i += 1) {
    if (path[i] === '\\') i += 1;
    else if (path[i] === '#' && '(['.includes(path[i + 1] ?? ' ')) i = endOfArgument(path, i + 1) - 1;
    else if (path[i] === '|') return [path.slice(0, i), path.slice(i + 1)];
  }
  return [path, undefined];
};

/** {path, op, value, end} of a query that stands at the beginning of a path: `#(name=="x")`. */
const query = (text) => {
  let depth = 1;
  let operator = 0;
  let i = 2;
  for (; i < text.length; i += 1) {
    const character = text[i];
    if (depth === 1 && !operator && '!=<>%'.includes(character)) operator = i;
    else if (character === '\\') i += 1;
    else if (character === '[' || character === '(') depth += 1;
    else if (character === '"') i = endOfText(text, i);
    else if (character === ']' || character === ')') {
      depth -= 1;
      if (depth === 0) break;
    }
  }
  if (depth > 0) return undefined;
  if (!operator) return { path: text.slice(2, i).trim(), op: '', value: '', end: i + 1 };
  const [, op, rest] = /^(==|!=|!%|<=|>=|[=<>%!])(.*)$/s.exec(text.slice(operator, i).trim());
  let value = rest.trim();
  if (value.length > 1 && value.startsWith('"') && value.endsWith('"')) value = parsed(value) ?? value.slice(1, -1);
  return { path: text.slice(2, operator).trim(), op: op === '==' ? '=' : op, value, end: i + 1 };
};

const isTrueish = (value) => {
  if (typeof value === 'string') return /^(1|t|true)$/i.test(value);
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

const satisfies = (given, { op, value: wanted }) => {
  let value = given;
  let text = wanted;
  if (text.startsWith('~')) {
    value = tilde(value, text.slice(1));
    text = 'true';
  }
  if (value === undefined) return false;
  if (op === '') return true;
  switch (typeof value) {
    case 'string':
      if (op === '%') return matches(value, text);
      if (op === '!%') return !matches(value, text);
      return compared(value, text, op);
    case 'number': return compared(value, Number.parseFloat(text) || 0, op);
    case 'boolean': {
      if (op === '=') return text === String(value);
      if (op === '!=') return text !== String(value);
      if (value) return op === '>' ? text === 'false' : op === '>=';
      return op === '<' ? text === 'true' : op === '<=';
    }
    default: return false;
  }
};

const queried = (array, path) => {
  const asked = query(path);
  if (!asked) return undefined;
  const all = path[asked.end] === '#';
  const rest = path.slice(asked.end + (all ? 1 : 0));
  const fits = (item) => satisfies(asked.path === '' ? item : isObject(item) ? get(item, asked.path) : undefined, asked);
  if (rest && rest[0] !== '.' && rest[0] !== '|') return undefined;
  let pipe = rest[0] === '|' || (rest[0] === '.' && beginsPath(rest.slice(1))) ? rest.slice(1) : undefined;
  let inner;
  if (rest && pipe === undefined) [inner, pipe] = splitAtPipe(rest.slice(1));
  const pick = (item) => (inner === undefined ? item : get(item, inner));
  let result;
  if (all) {
    result = array.filter(fits).map(pick).filter((item) => item !== undefined);
  } else {
    const found = array.find(fits);
    result = found === undefined ? undefined : pick(found);
  }
  return pipe === undefined || result === undefined ? result : get(result, pipe);
};

const ofArray = (array, path) => {
  if (path.startsWith('#.')) {
    const [inner, pipe] = splitAtPipe(path.slice(2));
    const mapped = array.map((item) => get(item, inner)).filter((item) => item !== undefined);
    return pipe === undefined ? mapped : get(mapped, pipe);
  }
  if (path.startsWith('#(') || path.startsWith('#[')) return queried(array, path);
  const { part, rest, pipe } = first(path);
  const item = part === '#' ? array.length : /^\d+$/.test(part) ? array[Number(part)] : undefined;
  return follow(item, rest, pipe);
};

const follow = (value, rest, pipe) => {
  const next = rest ?? pipe;
  return next === undefined || value === undefined ? value : get(value, next);
};

/**
 * What `path` leads to in a value that JSON.parse has made.
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
      found = [parsed(path.slice(1, end)), path.slice(end)];
    }
    if (found) {
      const [result, rest] = found;
      return rest && result !== undefined ? get(result, rest.slice(1)) : result;
    }
  }
  if (Array.isArray(value)) return ofArray(value, path);
  if (!isObject(value)) return undefined;
  const { part, wild, rest, pipe } = first(path);
  const key = wild ? Object.keys(value).find((one) => matches(one, part)) : unescaped(part);
  return follow(key === undefined ? undefined : own(value, key), rest, pipe);
};
