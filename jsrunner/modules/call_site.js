// jsrunner:call_site — the place in the script that k6 shows when a call ends the script.
// @ts-check
import {
  ArrayPrototypeFind, Error, StringPrototypeIncludes, StringPrototypeSlice, StringPrototypeSplit, StringPrototypeStartsWith,
} from 'jsrunner:primordials';

const isPlace = (line) => StringPrototypeStartsWith(line, '\tat ') && !StringPrototypeIncludes(line, '(native)');

/** Return the place of the script's innermost call as k6 logs it: `name (file:line:column)`. */
export const callSite = () => {
  const line = ArrayPrototypeFind(StringPrototypeSplit(new Error().stack, '\n'), isPlace);
  return line ? StringPrototypeSlice(line, 4) : '';
};
