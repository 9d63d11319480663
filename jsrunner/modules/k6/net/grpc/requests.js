// jsrunner:k6/net/grpc/requests — requests as JSON.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { isEnum } from 'jsrunner:k6/net/grpc/status';
import { Date } from 'jsrunner:more_primordials';
import {
  ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypePop, ArrayPrototypePush, Boolean, JSONStringify, Number,
  NumberIsFinite, ObjectKeys, ReflectApply, SafeArray, String, TypeError, isInstance,
} from 'jsrunner:primordials';
import { isNullish, isObject, setOwn } from 'jsrunner:values';

/** Convert a value for JSON: numbers that JSON lacks become texts, objects become copies of their own members. */
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

const isBoxed = (value) => isInstance(String, value) || isInstance(Number, value) || isInstance(Boolean, value);

/**
 * Return the JSON of a member, equal to that of JSON.stringify; undefined for a value without JSON. JSON.stringify
 * cannot be used, because it may call setters that a script has defined on lists.
 */
const textOf = (member, key, above) => {
  let value = member;
  if (isObject(value)) {
    const { toJSON } = value;
    if (typeof toJSON === 'function') value = ReflectApply(toJSON, value, SafeArray(key));
  }
  if (!isObject(value) || isBoxed(value)) return JSONStringify(value);
  if (ArrayPrototypeIncludes(above, value)) throw new TypeError('Converting circular structure to JSON');
  ArrayPrototypePush(above, value);
  const isList = ArrayIsArray(value);
  const names = ObjectKeys(value);
  const count = isList ? value.length : names.length;
  let text = '';
  for (let i = 0; i < count; i += 1) {
    const name = isList ? String(i) : names[i];
    const written = textOf(value[name], name, above);
    if (isList) text += (i ? ',' : '') + (written ?? 'null');
    else if (written !== undefined) text += (text ? ',' : '') + JSONStringify(name) + ':' + written;
  }
  ArrayPrototypePop(above);
  return isList ? '[' + text + ']' : '{' + text + '}';
};

/** Return the JSON of a value, equal to that of JSON.stringify; undefined if its toJSON returns no value. */
export const jsonOf = (value) => textOf(value, '', SafeArray());

/** Return the JSON of a call's request. */
export const requestOf = (request) => {
  if (isNullish(request)) throw new TypeError('Cannot convert undefined or null to object');
  const plain = normalized(request, SafeArray());
  try {
    return jsonOf(plain) ?? 'null';
  } catch (error) {
    throw new GoError('unable to serialise request object: ' + String(error));
  }
};
