// jsrunner:k6/net/grpc/responses — responses of calls for scripts, which are structs of Go in k6.
// @ts-check
import { addGoStruct } from 'jsrunner:go_methods';
import { codeOf } from 'jsrunner:k6/net/grpc/status';
import {
  Number, ObjectHasOwn, Proxy, ReflectDefineProperty, String, TypeError,
} from 'jsrunner:primordials';
import { isObject } from 'jsrunner:values';

/** Names of the members in Go's JSON. */
const SHOWN = {
  __proto__: null, message: 'Message', error: 'Error', headers: 'Headers', trailers: 'Trailers', status: 'Status',
};

/** A Proxy handler: members can be set, but not added or deleted. */
const HANDLER = {
  __proto__: null,
  set(response, name, value) {
    if (!ObjectHasOwn(response, name)) {
      throw new TypeError('Cannot assign to property ' + String(name) + ' of a host object');
    }
    let converted = value;
    if (name === 'status') converted = codeOf(Number(value));
    else if ((name === 'headers' || name === 'trailers') && !isObject(value)) {
      throw new TypeError('Go struct conversion error: could not convert ' + String(value) + ' to map[string][]string');
    }
    response[name] = converted;
    return true;
  },
  deleteProperty(response, name) {
    if (ObjectHasOwn(response, name)) {
      throw new TypeError('Cannot delete property ' + String(name) + ' from a Go type');
    }
    return true;
  },
  defineProperty(response, name, descriptor) {
    if (!ObjectHasOwn(response, name)) {
      throw new TypeError("Cannot define property '" + String(name) + "' on a host object");
    }
    if (descriptor.writable === false) {
      throw new TypeError('Host object field ' + String(name) + ' cannot be made read-only');
    }
    return ReflectDefineProperty(response, name, descriptor);
  },
};

/** Return a response made from Python's row [message, error, headers, trailers, code]. */
export const responseOf = (row) => {
  const response = new Proxy({
    message: row[0], error: row[1], headers: row[2], trailers: row[3], status: codeOf(row[4]),
  }, HANDLER);
  addGoStruct(response, SHOWN);
  return response;
};
