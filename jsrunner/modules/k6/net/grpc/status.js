// jsrunner:k6/net/grpc/status — the codes of calls and of health, which are objects: Go's enums.
// @ts-check
import {
  ArrayPrototypePush, ObjectDefineProperty, ObjectFreeze, SafeArray, SafeMap,
} from 'jsrunner:primordials';

const NAMES = [
  'OK', 'Canceled', 'Unknown', 'InvalidArgument', 'DeadlineExceeded', 'NotFound', 'AlreadyExists', 'PermissionDenied',
  'ResourceExhausted', 'FailedPrecondition', 'Aborted', 'OutOfRange', 'Unimplemented', 'Internal', 'Unavailable', 'DataLoss',
  'Unauthenticated',
];
const SERVING_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** A number with a name. One object stands for each, so that === compares them. */
class Enum {
  #number;
  #name;
  string;
  unmarshalJSON;
  constructor(number, name, isCode) {
    this.#number = number;
    this.#name = name;
    this.string = () => name;
    if (isCode) this.unmarshalJSON = () => {};
    else delete this.unmarshalJSON;
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

const listOf = (names, isCode) => {
  const list = SafeArray();
  for (let i = 0; i < names.length; i += 1) ArrayPrototypePush(list, new Enum(i, names[i], isCode));
  return list;
};

export const CODES = listOf(NAMES, true);
export const SERVING = listOf(SERVING_NAMES, false);

const others = new SafeMap();

/** The object of a status code. */
export const codeOf = (number) => {
  const known = number < CODES.length ? CODES[number] : others.get(number);
  if (known) return known;
  const made = new Enum(number, 'Code(' + number + ')', true);
  others.set(number, made);
  return made;
};

/** The object of a serving status. */
export const serving = (number) => SERVING[number] ?? codeOf(number);
