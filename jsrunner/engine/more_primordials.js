// jsrunner:more_primordials — primordials that few modules use, loaded with the first such module.
// @ts-check
import {
  RegExpPrototypeExec, StringPrototypeSlice, reserve, uncurryThis,
} from 'jsrunner:primordials';

export const {
  Date, FinalizationRegistry, Map, Set, WeakRef, encodeURIComponent, floor: MathFloor,
  isInteger: NumberIsInteger, isSafeInteger: NumberIsSafeInteger,
  parseFloat: NumberParseFloat,
} = reserve;

export const ArrayPrototypeShift = uncurryThis(reserve.shift);
export const DatePrototypeGetTime = uncurryThis(reserve.getTime);
export const DatePrototypeToISOString = uncurryThis(reserve.toISOString);
export const FinalizationRegistryPrototypeRegister = uncurryThis(reserve.register);
export const MapPrototypeForEach = uncurryThis(reserve.mapForEach);
export const NumberPrototypeToExponential = uncurryThis(reserve.toExponential);
export const SetPrototypeForEach = uncurryThis(reserve.setForEach);
export const StringPrototypeEndsWith = uncurryThis(reserve.endsWith);
export const StringPrototypeLastIndexOf = uncurryThis(reserve.lastIndexOf);
export const StringPrototypePadEnd = uncurryThis(reserve.padEnd);
export const StringPrototypePadStart = uncurryThis(reserve.padStart);
export const StringPrototypeToLowerCase = uncurryThis(reserve.toLowerCase);
export const StringPrototypeToWellFormed = uncurryThis(reserve.toWellFormed);
export const WeakRefPrototypeDeref = uncurryThis(reserve.deref);

/**
 * Return a text with each match of a regular expression (with the flag g) replaced by `convert(match)`, where `match`
 * is a result of `RegExp.prototype.exec`.
 */
export const RegExpPrototypeSymbolReplace = (expression, text, convert) => {
  let result = '';
  let start = 0;
  expression.lastIndex = 0;
  for (;;) {
    const match = RegExpPrototypeExec(expression, text);
    if (match === null) break;
    result += StringPrototypeSlice(text, start, match.index) + convert(match);
    start = match.index + match[0].length;
    if (match[0] === '') expression.lastIndex += 1;
  }
  return result + StringPrototypeSlice(text, start);
};
