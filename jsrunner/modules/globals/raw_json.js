// JSON.rawJSON and JSON.isRawJSON (https://tc39.es/proposal-json-parse-with-source/), which the engine lacks.
// @ts-check
import {
  Boolean, Map, Object, String, apply, contains, defineProperty, forEach, freeze, includes, isArray, keys, method, parse, push,
  replaceIn, stringify,
} from 'jsrunner:host';

const { BigInt, Number, SyntaxError, WeakSet } = globalThis;
const { create } = Object;
const { random } = Math;

/** The objects that rawJSON has made. */
const raws = new WeakSet();
const addRaw = method(WeakSet.prototype.add);
const isRaw = method(WeakSet.prototype.has);
let anyRaw = false;

/** Stands before and behind the number of a raw text until the engine has written the rest. */
const mark = `\u0001${random()}${random()}:`;
const MARKED = new RegExp(`"\\\\u0001${mark.slice(1)}(\\d+)"`, 'g');

const SPACE = '\t\n\r ';
const getFrom = method(Map.prototype.get);
const setIn = method(Map.prototype.set);

const isBoxed = (value) => value instanceof Number || value instanceof String || value instanceof Boolean
  || value instanceof BigInt;

/** The properties that an array as replacer lets through (a holder's others are left out). */
const listed = (replacer) => {
  const names = [];
  for (let i = 0; i < replacer.length; i += 1) {
    const item = replacer[i];
    const isName = typeof item === 'string' || typeof item === 'number' || item instanceof String
      || item instanceof Number;
    if (isName && !includes(names, String(item))) push(names, String(item));
  }
  return names;
};

/** An object with these properties of another; always the same for the same, so that cycles are met. */
const pick = (object, names, picks) => {
  let picked = getFrom(picks, object);
  if (!picked) {
    picked = create(null);
    setIn(picks, object, picked);
    forEach(names, (name) => {
      picked[name] = object[name];
    });
  }
  return picked;
};

const statics = {
  rawJSON(text) {
    const raw = `${text}`;
    if (raw === '' || contains(SPACE, raw[0]) || contains(SPACE, raw[raw.length - 1])) {
      throw new SyntaxError('JSON.rawJSON: the text is empty, or begins or ends with white space');
    }
    const value = parse(raw);
    if (typeof value === 'object' && value !== null) {
      throw new SyntaxError('JSON.rawJSON: the text is an object or an array');
    }
    const object = create(null);
    object.rawJSON = raw;
    addRaw(raws, object);
    anyRaw = true;
    return freeze(object);
  },
  isRawJSON: (value) => isRaw(raws, value),
  stringify(value, replacer, space) {
    if (!anyRaw) return stringify(value, replacer, space);
    const names = isArray(replacer) ? listed(replacer) : undefined;
    const texts = [];
    const picks = new Map();
    // The engine's own stringify calls this for each value, after toJSON.
    const replace = function (key, given) {
      const item = typeof replacer === 'function' ? apply(replacer, this, [key, given]) : given;
      if (isRaw(raws, item)) return `${mark}${push(texts, item.rawJSON) - 1}`;
      const isPlain = typeof item === 'object' && item !== null && !isArray(item) && !isBoxed(item);
      return names && isPlain ? pick(item, names, picks) : item;
    };
    const result = stringify(value, replace, space);
    return result === undefined ? undefined : replaceIn(result, MARKED, (_, index) => texts[index]);
  },
};

forEach(keys(statics), (name) => defineProperty(JSON, name, {
  __proto__: null, value: statics[name], writable: true, configurable: true,
}));
