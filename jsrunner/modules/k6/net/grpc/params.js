// jsrunner:k6/net/grpc/params — parameters of connections and of calls.
// @ts-check
import { copyOf } from 'jsrunner:bytes';
import { GoError } from 'jsrunner:errors';
import { goType, isGoInteger } from 'jsrunner:go_types';
import { host } from 'jsrunner:host';
import {
  ArrayBufferIsView, ArrayIsArray, ArrayPrototypeJoin, ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSort,
  Boolean, JSONStringify, Number, Object, ObjectKeys, SafeArray, String, StringPrototypeSlice,
  SymbolPrototypeGetDescription, TypedArrayPrototypeGetSymbolToStringTag, isInstance,
} from 'jsrunner:primordials';
import { goShown } from 'jsrunner:k6/http/values';
import { tagValues } from 'jsrunner:samples';
import { isNullish, isObject } from 'jsrunner:values';

/** Return a value as Go's %#v writes it. */
const goSyntax = (value, isInside = false) => {
  if (isNullish(value)) return isInside ? 'interface {}(nil)' : '<nil>';
  if (typeof value === 'string') return JSONStringify(value);
  if (typeof value === 'number') return goShown(value);
  if (typeof value !== 'object') return String(value);
  if (ArrayIsArray(value)) {
    return '[]interface {}{' + ArrayPrototypeJoin(ArrayPrototypeMap(value, (item) => goSyntax(item, true)), ', ') + '}';
  }
  const names = ArrayPrototypeSort(ObjectKeys(value));
  const pairs = ArrayPrototypeMap(names, (name) => JSONStringify(name) + ':' + goSyntax(value[name], true));
  return goType(value) + '{' + ArrayPrototypeJoin(pairs, ', ') + '}';
};

/** Return a timeout for Python. Throws Go's error for values of other types. */
const timeoutOf = (value) => {
  const type = goType(value);
  if (type !== 'string' && type !== 'int64' && type !== 'float64') {
    throw new GoError('invalid timeout value: unable to use type ' + type + ' as a duration value');
  }
  const plain = type !== 'string' ? Number(value)
    : typeof value === 'symbol' ? SymbolPrototypeGetDescription(value) ?? '' : String(value);
  const error = host('net_grpc.duration_error', plain);
  if (error) throw new GoError('invalid timeout value: ' + error);
  return plain;
};

/** Return metadata as a flat list of names and values. Values of binary keys are buffers. */
const metadataOf = (metadata, label) => {
  const pairs = SafeArray();
  if (isNullish(metadata)) return pairs;
  if (!isObject(metadata) || goType(metadata) !== 'map[string]interface {}') {
    throw new GoError('invalid ' + label + ' param: must be an object with key-value pairs');
  }
  const names = ObjectKeys(metadata);
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const value = metadata[name];
    if (StringPrototypeSlice(name, -4) === '-bin') {
      const kind = ArrayBufferIsView(value) ? TypedArrayPrototypeGetSymbolToStringTag(value) : undefined;
      if (kind !== 'Uint8Array' && kind !== 'Uint8ClampedArray') {
        throw new GoError('invalid ' + label + ' param: ' + JSONStringify(name) + ' value must be binary');
      }
      ArrayPrototypePush(pairs, name);
      ArrayPrototypePush(pairs, copyOf(value));
    } else if (typeof value === 'string') {
      ArrayPrototypePush(pairs, name);
      ArrayPrototypePush(pairs, value);
    } else {
      throw new GoError('invalid ' + label + ' param: ' + JSONStringify(name) + ' value must be a string');
    }
  }
  return pairs;
};

// The last call's timeout and its form for Python. Most calls have the timeout of the call before.
let knownTimeout;
let crossingTimeout;

/** Return the parameters of a call for Python; null if there are none. */
export const callParams = (params) => {
  if (isNullish(params)) return null;
  const source = Object(params);
  const names = ObjectKeys(source);
  if (names.length === 0) return null;
  const read = { __proto__: null };
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const value = source[name];
    if (name === 'metadata') {
      read.metadata = metadataOf(value, 'metadata');
    } else if (name === 'tags') {
      if (!isNullish(value)) read.tags = tagValues(value, 'metric tags: ');
    } else if (name === 'timeout') {
      if (value !== knownTimeout) {
        crossingTimeout = timeoutOf(value);
        knownTimeout = value;
      }
      read.timeout = crossingTimeout;
    } else if (name === 'discardResponseMessage') {
      read.discards = !!value;
    } else {
      throw new GoError('unknown param: ' + JSONStringify(name));
    }
  }
  return read;
};

const mustBe = (argument, type, name, wanted) => {
  const value = isInstance(Boolean, argument) ? String(argument) === 'true' : argument;
  if (typeof value !== type) {
    throw new GoError('invalid ' + name + " value: '" + goSyntax(value) + "', it needs to be " + wanted);
  }
  return value;
};

const sizeOf = (value, name) => {
  if (!isGoInteger(value)) {
    throw new GoError('invalid ' + name + " value: '" + goSyntax(value) + "', it needs to be an integer");
  }
  if (value < 0) {
    throw new GoError('invalid ' + name + " value: '" + goSyntax(value) + ', it needs to be a positive integer');
  }
  return value;
};

const PEM_TEXT = 'a PEM formatted string';

/** Return certificates and keys after a check of their types. Error texts show all of them. */
const tlsOf = (tls) => {
  const shown = () => goSyntax(tls);
  if (!isObject(tls) || goType(tls) !== 'map[string]interface {}') {
    throw new GoError("invalid tls value: '" + shown() + "', expected (optional) keys: cert, key, password, and cacerts");
  }
  const read = { __proto__: null };
  const text = (name, wanted) => {
    if (!(name in tls)) return;
    if (typeof tls[name] !== 'string') {
      throw new GoError('invalid tls ' + name + " value: '" + shown() + "', it needs to be " + wanted);
    }
    read[name] = tls[name];
  };
  text('cert', PEM_TEXT);
  text('key', PEM_TEXT);
  text('password', 'a string');
  if ('cacerts' in tls) {
    const list = ArrayIsArray(tls.cacerts) ? tls.cacerts : [tls.cacerts];
    for (let i = 0; i < list.length; i += 1) {
      if (typeof list[i] !== 'string') {
        throw new GoError("invalid tls cacerts value: '" + shown()
          + "', it needs to be a string or an array of PEM formatted strings");
      }
    }
    read.cacerts = list;
  }
  return read;
};

const connectParam = (name, value) => {
  switch (name) {
    case 'plaintext': case 'reflect': return mustBe(value, 'boolean', name, 'boolean');
    case 'timeout': return timeoutOf(value);
    case 'reflectMetadata': return metadataOf(value, name);
    case 'maxReceiveSize': case 'maxSendSize': return sizeOf(value, name);
    case 'tls': return tlsOf(value);
    case 'authority': return mustBe(value, 'string', name, 'a string');
    default: throw new GoError('unknown connect param: ' + JSONStringify(name));
  }
};

/** Return the parameters of a connection for Python. */
export const connectParams = (params) => {
  const read = { __proto__: null };
  if (isNullish(params)) return read;
  const source = Object(params);
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i += 1) {
    try {
      read[names[i]] = connectParam(names[i], source[names[i]]);
    } catch (error) {
      if (isInstance(GoError, error)) throw new GoError('invalid grpc.connect() parameters: ' + error.message);
      throw error;
    }
  }
  return read;
};
