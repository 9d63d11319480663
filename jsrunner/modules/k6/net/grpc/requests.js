// jsrunner:k6/net/grpc/requests — requests as JSON.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { isEnum } from 'jsrunner:k6/net/grpc/status';
import { Date } from 'jsrunner:more_primordials';
import {
  ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypePop, ArrayPrototypePush, Boolean, JSONStringify, Number,
  NumberIsFinite, ObjectKeys, SafeArray, String, TypeError, isInstance,
} from 'jsrunner:primordials';
import { isNullish, setOwn } from 'jsrunner:values';

/** Numbers that JSON does not know are texts; objects are copies with their own members. */
const normalized = (value, above) => {
  if (typeof value === 'number') {
    if (NumberIsFinite(value)) return value;
    return value > 0 ? 'Infinity' : value < 0 ? '-Infinity' : 'NaN';
  }
  if (typeof value === 'bigint' || typeof value === 'symbol') return {}; // as Go's objects of them
  if (typeof value !== 'object' || value === null || isEnum(value)) return value;
  if (isInstance(Date, value) || isInstance(String, value) || isInstance(Boolean, value)) return value;
  if (isInstance(Number, value)) return normalized(Number(value), above);
  if (ArrayPrototypeIncludes(above, value)) {
    throw new GoError('unable to normalize number strings: cyclic reference to an object found');
  }
  ArrayPrototypePush(above, value);
  const isList = ArrayIsArray(value);
  const copy = isList ? [] : {};
  const names = ObjectKeys(value);
  for (let i = 0; i < names.length; i += 1) {
    const member = value[names[i]];
    const plain = typeof member === 'string' ? member : normalized(member, above);
    if (isList) copy[names[i]] = plain;
    else setOwn(copy, names[i], plain);
  }
  ArrayPrototypePop(above);
  return copy;
};

/** The JSON of a call's request. */
export const requestOf = (request) => {
  if (isNullish(request)) throw new TypeError('Cannot convert undefined or null to object');
  return JSONStringify(normalized(request, SafeArray())) ?? 'null';
};
