// jsrunner:samples — records samples by the numbers of metrics, and checks the tags that scripts pass.
// @ts-check
import { GoError } from 'jsrunner:errors';
import {
  Boolean, Number, Object, ObjectKeys, String, SymbolPrototypeGetDescription, isInstance,
} from 'jsrunner:primordials';

export { emit, now } from 'jsrunner:core';

/** Numbers of built-in metrics: enum metric of core/core.h. */
export const CHECKS = 4;
export const GROUP_DURATION = 5;

/** Return the text of a tag's value if k6 accepts its type. k6 accepts more types than its error message names. */
export const tagText = (value) => {
  const type = typeof value;
  if (type === 'string' || type === 'number' || type === 'boolean') return String(value);
  if (type === 'symbol') return SymbolPrototypeGetDescription(value) ?? '';
  return isInstance(Number, value) || isInstance(Boolean, value) ? String(value) : undefined;
};

/** Return tags of the types that k6 accepts; `prefix` begins the error's text. */
export function tagValues(tags, prefix, known = { __proto__: null }) {
  const names = ObjectKeys(Object(tags));
  for (let i = 0; i < names.length; i += 1) {
    const key = names[i];
    const text = tagText(tags[key]);
    if (text === undefined) {
      throw new GoError(prefix + "invalid value for metric tag '" + key + "': only String, Boolean and "
        + 'Number types are accepted as a metric tag values');
    }
    known[key] = text;
  }
  return known;
}
