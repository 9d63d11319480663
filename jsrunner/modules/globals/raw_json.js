// JSON.rawJSON and JSON.isRawJSON (https://tc39.es/proposal-json-parse-with-source/), which the engine lacks.
// @ts-check
import { RegExpPrototypeSymbolReplace } from 'jsrunner:more_primordials';
import {
  ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypePush, Boolean, JSONParse, JSONStringify, Object, ObjectFreeze,
  ReflectApply, SafeArray, SafeMap, String, StringPrototypeIncludes, isInstance, uncurryThis,
} from 'jsrunner:primordials';
import { defineMethods } from 'jsrunner:values';

const { BigInt, Number, SyntaxError, WeakSet } = globalThis;
const { create } = Object;
const { random } = Math;

/** Objects made by rawJSON. */
const raws = new WeakSet();
const addRaw = uncurryThis(WeakSet.prototype.add);
const isRaw = uncurryThis(WeakSet.prototype.has);
let anyRaw = false;

/** Marks, before and behind it, the number of a raw text until the engine has written the rest. */
const mark = '\u0001' + String(random()) + String(random()) + ':';
const MARKED = new RegExp('"\\\\u0001' + String(mark.slice(1)) + '(\\d+)"', 'g');

const SPACE = '\t\n\r ';

const isBoxed = (value) => isInstance(Number, value) || isInstance(String, value) || isInstance(Boolean, value)
  || isInstance(BigInt, value);

/** Return the names of properties that a replacer array lets through. */
const listed = (replacer) => {
  const names = SafeArray();
  for (let i = 0; i < replacer.length; i += 1) {
    const item = replacer[i];
    const isName = typeof item === 'string' || typeof item === 'number' || isInstance(String, item)
      || isInstance(Number, item);
    if (isName && !ArrayPrototypeIncludes(names, String(item))) ArrayPrototypePush(names, String(item));
  }
  return names;
};

/** Return an object with these properties of `object`. The same object gives the same result, so cycles are noticed. */
const pick = (object, names, picks) => {
  let picked = picks.get(object);
  if (!picked) {
    picked = create(null);
    picks.set(object, picked);
    for (let i = 0; i < names.length; i += 1) picked[names[i]] = object[names[i]];
  }
  return picked;
};

const statics = {
  rawJSON(text) {
    const raw = '' + text;
    if (raw === '' || StringPrototypeIncludes(SPACE, raw[0]) || StringPrototypeIncludes(SPACE, raw[raw.length - 1])) {
      throw new SyntaxError('JSON.rawJSON: the text is empty, or begins or ends with white space');
    }
    const value = JSONParse(raw);
    if (typeof value === 'object' && value !== null) {
      throw new SyntaxError('JSON.rawJSON: the text is an object or an array');
    }
    const object = create(null);
    object.rawJSON = raw;
    addRaw(raws, object);
    anyRaw = true;
    return ObjectFreeze(object);
  },
  isRawJSON: (value) => isRaw(raws, value),
  stringify(value, replacer, space) {
    if (!anyRaw) return JSONStringify(value, replacer, space);
    const names = ArrayIsArray(replacer) ? listed(replacer) : undefined;
    const texts = SafeArray();
    const picks = new SafeMap();
    // The engine's own stringify calls this for each value, after toJSON.
    const replace = function (key, given) {
      const item = typeof replacer === 'function' ? ReflectApply(replacer, this, [key, given]) : given;
      if (isRaw(raws, item)) {
        ArrayPrototypePush(texts, item.rawJSON);
        return mark + (texts.length - 1);
      }
      const isPlain = typeof item === 'object' && item !== null && !ArrayIsArray(item) && !isBoxed(item);
      return names && isPlain ? pick(item, names, picks) : item;
    };
    const result = JSONStringify(value, replace, space);
    return result === undefined ? undefined : RegExpPrototypeSymbolReplace(MARKED, result, (match) => texts[match[1]]);
  },
};

defineMethods(JSON, statics);
