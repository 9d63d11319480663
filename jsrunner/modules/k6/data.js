// k6/data: https://grafana.com/docs/k6/latest/javascript-api/k6-data/
// @ts-check
import { context } from 'jsrunner:context';
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import {
  ArrayIsArray, ArrayPrototypePush, AsyncFunction, JSONStringify, SafeArray, String, TypeError, isInstance,
} from 'jsrunner:primordials';
import { sharedArray } from 'jsrunner:shared_array';
import { isNullish } from 'jsrunner:values';

export function SharedArray(name, build) {
  if (!context.inInit) throw new GoError('new SharedArray must be called in the init context');
  const key = String(name);
  if (key === '') throw new GoError("empty name provided to SharedArray's constructor");
  if (isInstance(AsyncFunction, build)) {
    throw new GoError('SharedArray constructor does not support async functions as second argument');
  }
  if (typeof build !== 'function') {
    throw new GoError("a function is expected as the second argument of SharedArray's constructor");
  }
  let length = host('data.length', key);
  if (length < 0) {
    const items = build();
    if (isNullish(items)) throw new TypeError('Cannot convert undefined or null to object');
    if (!ArrayIsArray(items)) throw new GoError('only arrays can be made into SharedArray');
    length = items.length;
    const elements = SafeArray();
    // As in k6, a value without JSON becomes the text "undefined", and reading that element is a SyntaxError.
    for (let i = 0; i < length; i += 1) ArrayPrototypePush(elements, String(JSONStringify(items[i])));
    host('data.store', key, elements);
  }
  return sharedArray(length, (index) => host('data.element', key, index));
}

export default { SharedArray };
