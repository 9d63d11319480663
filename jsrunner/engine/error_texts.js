// jsrunner:error_texts — gives the errors that the engine makes the texts that k6's engine has.
// error_texts.py knows these texts.
// @ts-check
import { host } from 'jsrunner:core';
import {
  ArrayPrototypePush, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, RangeError,
  ReferenceError, SafeArray, SafeMap, String, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeSplit,
  StringPrototypeStartsWith, SymbolPrototypeGetDescription, SyntaxError, TypeError, URIError,
} from 'jsrunner:primordials';

const { prototype: SyntaxErrorPrototype } = SyntaxError;
const { prototype: TypeErrorPrototype } = TypeError;
const { prototype: ReferenceErrorPrototype } = ReferenceError;
const { prototype: RangeErrorPrototype } = RangeError;
const { prototype: URIErrorPrototype } = URIError;

/** Return whether errors of this kind may be the engine's own. */
const isEngines = (prototype) => prototype === TypeErrorPrototype || prototype === ReferenceErrorPrototype
  || prototype === SyntaxErrorPrototype || prototype === RangeErrorPrototype || prototype === URIErrorPrototype;

/** First words of QuickJS's texts, or last words where a text begins with a name: Python knows no others. */
const FIRST_WORDS = new SafeMap();
const words = StringPrototypeSplit(
  "'Immutable 'this' Array Bad BigInt Cannot Date Expected Exponent Getter No Object.defineProperties Property Setter "
  + 'Unexpected Unterminated bad bigint cannot circular class constructor could derived empty expecting extraneous '
  + 'invalid iterator malformed must no not nothing null object operand out out-of-bound parent private property proxy '
  + 'proxy: regexp revoked toPrimitive toString() unexpected unsupported value',
  ' ',
);
for (let i = 0; i < words.length; i += 1) FIRST_WORDS.set(words[i], true);

const endsWith = (text, end) => StringPrototypeSlice(text, -end.length) === end;

const isQuickJS = (message) => {
  const end = StringPrototypeIndexOf(message, ' ');
  return FIRST_WORDS.has(end < 0 ? message : StringPrototypeSlice(message, 0, end))
    || endsWith(message, ' is read-only') || endsWith(message, ' is not initialized')
    || endsWith(message, ' is not a constructor') || endsWith(message, ' object expected');
};

/** Return the text of a value, or of its property; "" if the script's code throws. */
const tell = (value, name) => {
  try {
    const one = name === null ? value : value[name];
    return typeof one === 'symbol' ? SymbolPrototypeGetDescription(one) ?? '' : String(one);
  } catch {
    return '';
  }
};

/**
 * k6's text instead of `message`. Python does not run code of a script: it asks for texts of objects, which it has
 * given `asked`.
 */
const explain = (message, name) => {
  const told = SafeArray();
  const asked = { __proto__: null, value: undefined };
  for (;;) {
    const said = host('errors.explain', message, name, asked, told);
    if (said === undefined || typeof said === 'string') return said;
    ArrayPrototypePush(told, tell(asked.value, said[0]));
    asked.value = undefined;
  }
};

/** Answers by question and place. After this many equal answers in a row, Python is not asked again. */
const ENOUGH = 50;
const MOST_ANSWERS = 64;
let answers = new SafeMap();

/** Return k6's text for `message` of `thrower`: a function of the language, undefined for the script. */
const answer = (message, thrower, place) => {
  const name = thrower ? thrower.getFunctionName() ?? '' : null;
  const key = message + '\n' + name + '\n' + place.getFileName() + ':' + place.getLineNumber() + ':'
    + place.getColumnNumber();
  let known = answers.get(key);
  if (known !== undefined && known.times >= ENOUGH) return known.text;
  const text = explain(message, name);
  if (known === undefined) {
    if (answers.size === MOST_ANSWERS) answers = new SafeMap();
    known = { __proto__: null, text, times: 0 };
    answers.set(key, known);
  }
  known.times = known.text === text ? known.times + 1 : 0;
  known.text = text;
  return text;
};

/** Give a new error of the engine k6's text. `frames` become its stack. */
export const retext = (error, frames) => {
  const prototype = ObjectGetPrototypeOf(error);
  if (!frames.length || !isEngines(prototype)) return;
  const descriptor = ObjectGetOwnPropertyDescriptor(error, 'message');
  if (!descriptor || typeof descriptor.value !== 'string') return;
  const message = descriptor.value;
  if (!isQuickJS(message)) return;
  const top = frames[0];
  // Of what JSON.parse and RegExp have read, the text comes first, then the function.
  const at = prototype === SyntaxErrorPrototype && frames.length > 1 && !top.isNative() ? 1 : 0;
  const thrower = frames[at].isNative() ? frames[at] : undefined;
  const file = top.getFileName();
  if (!thrower && (!file || StringPrototypeStartsWith(file, 'jsrunner:'))) return;
  const text = answer(message, thrower, frames[thrower ? at + 1 : at] ?? top);
  if (typeof text === 'string') {
    ObjectDefineProperty(error, 'message', { __proto__: null, value: text });
  }
};
