// k6/data: https://grafana.com/docs/k6/latest/javascript-api/k6-data/
// @ts-check
import { context } from 'jsrunner:context';
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import {
  ArrayIsArray, ArrayPrototypePush, AsyncFunction, JSONStringify, SafeArray, isInstance,
} from 'jsrunner:primordials';
import { sharedArray } from 'jsrunner:shared_array';
import { asText } from 'jsrunner:values';

export function SharedArray(name, build) {
  if (!context.inInit) throw new GoError('new SharedArray must be called in the init context');
  const key = asText(name);
  if (key === '') throw new GoError("empty name provided to SharedArray's constructor");
  if (typeof build !== 'function') {
    throw new GoError("a function is expected as the second argument of SharedArray's constructor");
  }
  if (isInstance(AsyncFunction, build)) {
    throw new GoError('SharedArray constructor does not support async functions as second argument');
  }
  let length = host('data.length', key);
  if (length < 0) {
    const items = build();
    if (!ArrayIsArray(items)) throw new GoError('only arrays can be made into SharedArray');
    length = items.length;
    const elements = SafeArray();
    for (let i = 0; i < length; i += 1) ArrayPrototypePush(elements, JSONStringify(items[i]) ?? 'null');
    host('data.store', key, elements);
  }
  return sharedArray(length, (index) => host('data.element', key, index));
}

export default { SharedArray };
