// jsrunner:error_texts — replaces the messages of the engine's errors by those of k6's engine.
// error_texts.py has the table of messages.
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

/** Return true if the engine itself makes errors of this kind. */
const isEngines = (prototype) => prototype === TypeErrorPrototype || prototype === ReferenceErrorPrototype
  || prototype === SyntaxErrorPrototype || prototype === RangeErrorPrototype || prototype === URIErrorPrototype;

/** First words of QuickJS's messages, or last words of messages that begin with a name. Python knows no others. */
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

/** Return the text of a value, or of its property; "" if code of the script throws. */
const textOf = (value, name) => {
  try {
    const item = name === null ? value : value[name];
    return typeof item === 'symbol' ? SymbolPrototypeGetDescription(item) ?? '' : String(item);
  } catch {
    return '';
  }
};

/**
 * Return k6's text for `message`. Python runs no code of a script. If it needs the text of an object or of a property,
 * it sets `asked.value` to the object, returns [name of the property or null], and is called again with the text.
 */
const explain = (message, name) => {
  const texts = SafeArray();
  const asked = { __proto__: null, value: undefined };
  for (;;) {
    const reply = host('errors.explain', message, name, asked, texts);
    if (reply === undefined || typeof reply === 'string') return reply;
    ArrayPrototypePush(texts, textOf(asked.value, reply[0]));
    asked.value = undefined;
  }
};

/** Number of equal answers in a row, for a question and place, after which Python is not asked again. */
const ENOUGH = 50;
const MOST_ANSWERS = 64;
let answers = new SafeMap();

/** Return k6's text for `message`. `thrower` is the built-in function that has thrown, undefined for the script. */
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

/** Replace the message of a new error of the engine by k6's text. `frames` become the error's stack. */
export const retext = (error, frames) => {
  const prototype = ObjectGetPrototypeOf(error);
  if (!frames.length || !isEngines(prototype)) return;
  const descriptor = ObjectGetOwnPropertyDescriptor(error, 'message');
  if (!descriptor || typeof descriptor.value !== 'string') return;
  const message = descriptor.value;
  if (!isQuickJS(message)) return;
  const top = frames[0];
  // For syntax errors of JSON.parse and RegExp, the first frame is the parsed text and the second the function.
  const at = prototype === SyntaxErrorPrototype && frames.length > 1 && !top.isNative() ? 1 : 0;
  const thrower = frames[at].isNative() ? frames[at] : undefined;
  const file = top.getFileName();
  if (!thrower && (!file || StringPrototypeStartsWith(file, 'jsrunner:'))) return;
  const text = answer(message, thrower, frames[thrower ? at + 1 : at] ?? top);
  if (typeof text === 'string') {
    ObjectDefineProperty(error, 'message', { __proto__: null, value: text });
  }
};
