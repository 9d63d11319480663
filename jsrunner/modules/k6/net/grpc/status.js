// jsrunner:k6/net/grpc/status — the codes of calls and of health. They are objects, as k6's are enums of Go.
// @ts-check
import { addGoStruct } from 'jsrunner:go_methods';
import {
  ArrayPrototypePush, ObjectDefineProperty, ObjectFreeze, SafeArray, SafeMap, isInstance,
} from 'jsrunner:primordials';

const NAMES = [
  'OK', 'Canceled', 'Unknown', 'InvalidArgument', 'DeadlineExceeded', 'NotFound', 'AlreadyExists', 'PermissionDenied',
  'ResourceExhausted', 'FailedPrecondition', 'Aborted', 'OutOfRange', 'Unimplemented', 'Internal', 'Unavailable', 'DataLoss',
  'Unauthenticated',
];
const SERVING_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** A number with a name. Each number has one object, so that === compares them. */
class Enum {
  #number;
  #name;
  constructor(number, name, methods) {
    this.#number = number;
    this.#name = name;
    addGoStruct(this, () => number);
    for (let i = 0; i < methods.length; i += 1) {
      const method = methods[i];
      const value = method === 'string' ? () => name : () => number;
      ObjectDefineProperty(this, method, { __proto__: null, value, enumerable: true });
    }
    ObjectFreeze(this);
  }
  valueOf() {
    return this.#number;
  }
  toString() {
    return this.#name;
  }
  toJSON() {
    return this.#number;
  }
}
ObjectDefineProperty(Enum, 'name', { __proto__: null, value: 'Object' });

/** Return true if a value is an enum of Go. */
export const isEnum = (value) => isInstance(Enum, value);

// Methods of Go's enums that scripts can see.
const OF_CODES = ['string', 'unmarshalJSON'];
const OF_SERVING = ['descriptor', 'enum', 'enumDescriptor', 'number', 'string', 'type'];

const listOf = (names, methods) => {
  const list = SafeArray();
  for (let i = 0; i < names.length; i += 1) ArrayPrototypePush(list, new Enum(i, names[i], methods));
  return list;
};

export const CODES = listOf(NAMES, OF_CODES);
export const SERVING = listOf(SERVING_NAMES, OF_SERVING);

const others = new SafeMap();

/** Return the object of a status code. */
export const codeOf = (number) => {
  const known = number < CODES.length ? CODES[number] : others.get(number);
  if (known) return known;
  const made = new Enum(number, 'Code(' + number + ')', OF_CODES);
  others.set(number, made);
  return made;
};

/** Return the object of a serving status. */
export const serving = (number) => SERVING[number] ?? codeOf(number);
