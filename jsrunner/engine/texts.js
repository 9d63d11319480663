// jsrunner:texts — primordials for texts (see primordials.js).
// @ts-check
import { builtin, uncurried } from 'jsrunner:core';
import { SafeArray, StringPrototypeSlice } from 'jsrunner:primordials';

export const StringPrototypeCharCodeAt = uncurried('String.prototype.charCodeAt');
export const StringPrototypeIncludes = uncurried('String.prototype.includes');
export const StringPrototypeIndexOf = uncurried('String.prototype.indexOf');
export const StringPrototypePadStart = uncurried('String.prototype.padStart');
export const StringPrototypeStartsWith = uncurried('String.prototype.startsWith');
export const StringPrototypeToLowerCase = uncurried('String.prototype.toLowerCase');
export const StringPrototypeToUpperCase = uncurried('String.prototype.toUpperCase');
export const StringPrototypeToWellFormed = uncurried('String.prototype.toWellFormed');
export const encodeURIComponent = builtin('encodeURIComponent');
/** Unlike `test`, `match`, `replace` and `split`, `exec` calls no method that a script may have replaced. */
export const RegExpPrototypeExec = uncurried('RegExp.prototype.exec');

/** Return the pieces of a text between the separators as a SafeArray. The separator must not be empty. */
export const StringPrototypeSplit = (text, separator) => {
  const pieces = SafeArray();
  let start = 0;
  for (;;) {
    const end = StringPrototypeIndexOf(text, separator, start);
    if (end < 0) break;
    pieces[pieces.length] = StringPrototypeSlice(text, start, end);
    start = end + separator.length;
  }
  pieces[pieces.length] = StringPrototypeSlice(text, start);
  return pieces;
};

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
