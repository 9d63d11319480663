// k6/net/grpc: https://grafana.com/docs/k6/latest/javascript-api/k6-net-grpc/
// A call is one request to Python, which holds the connections and descriptors and records the samples.
// @ts-check
import { context } from 'jsrunner:context';
import { GoError, GoValue } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import { keepNumber } from 'jsrunner:k6/net/grpc/clients';
import { callParams, connectParams } from 'jsrunner:k6/net/grpc/params';
import { requestOf } from 'jsrunner:k6/net/grpc/requests';
import { responseOf } from 'jsrunner:k6/net/grpc/responses';
import { CODES, SERVING, serving } from 'jsrunner:k6/net/grpc/status';
import { Stream } from 'jsrunner:k6/net/grpc/stream';
import { forget, listen } from 'jsrunner:loop';
import { Set, SetPrototypeForEach } from 'jsrunner:more_primordials';
import {
  ArrayIsArray, ArrayPrototypeJoin, ArrayPrototypePush, ObjectFreeze, Promise, SafeArray, String, TypeError, isInstance,
} from 'jsrunner:primordials';
import { rejection } from 'jsrunner:promises';
import { asText, isNullish, isObject } from 'jsrunner:values';

host('net_grpc.begin_use'); // throws if the extra `grpc` is not installed

const mustBeInInit = () => {
  if (!context.inInit) throw new GoError('load must be called in the init context');
};

/** Return import paths as texts. Throws Go's error for a value that is no list. */
const pathsOf = (paths) => {
  const texts = SafeArray();
  if (isNullish(paths)) return texts;
  if (isInstance(Set, paths)) {
    SetPrototypeForEach(paths, (path) => ArrayPrototypePush(texts, asText(path)));
    return texts;
  }
  if (!ArrayIsArray(paths)) {
    const text = String(paths);
    throw new TypeError('could not convert function call parameter 0: ' + (isObject(paths) || typeof paths === 'function'
      ? 'cannot convert ' + text + ' to []string: not an array or iterable' : 'could not convert ' + text + ' to []string'));
  }
  for (let i = 0; i < paths.length; i += 1) ArrayPrototypePush(texts, asText(paths[i]));
  return texts;
};

/** Return the arguments of a call: [method, JSON of the request, parameters]. Checks them in k6's order. */
const callOf = (number, args) => {
  if (context.inInit) throw new GoError('invoking RPC methods in the init context is not supported');
  const method = asText(args.length > 0 ? args[0] : undefined);
  let params;
  try {
    params = callParams(args.length > 2 ? args[2] : undefined);
  } catch (error) {
    host('net_grpc.check', number, method);
    if (!isInstance(GoError, error)) throw error;
    throw new GoError("invalid GRPC's client.invoke() parameters: " + error.message);
  }
  try {
    if (args.length < 2) throw new GoError('request cannot be nil');
    return { __proto__: null, method, json: requestOf(args[1]), params };
  } catch (error) {
    host('net_grpc.check', number, method);
    throw error;
  }
};

// As in k6, Client works without 'new', and the returned object is no instance of Client.
export function Client() {
  const number = host('net_grpc.new_client');
  const client = {
    asyncInvoke(...args) {
      let handle;
      try {
        const { method, json, params } = callOf(number, args);
        handle = host('net_grpc.begin', number, method, json, params);
      } catch (error) {
        if (isInstance(GoError, error)) return rejection(error.value);
        throw error;
      }
      return new Promise((resolve, reject) => {
        listen(handle, (outcome) => {
          forget(handle);
          if (outcome[1]) resolve(responseOf(outcome[1]));
          else reject(new GoValue(outcome[0]));
        });
      });
    },
    close() {
      host('net_grpc.close', number);
    },
    connect(address, params) {
      if (context.inInit) throw new GoError('connecting to a gRPC server in the init context is not supported');
      return host('net_grpc.connect', number, asText(address), connectParams(params));
    },
    healthCheck(service) {
      if (context.inInit) throw new GoError('invoking RPC methods in the init context is not supported');
      return { status: serving(host('net_grpc.health_check', number, asText(service))) };
    },
    invoke(...args) {
      const { method, json, params } = callOf(number, args);
      return responseOf(host('net_grpc.invoke', number, method, json, params));
    },
    load(paths, ...files) {
      mustBeInInit();
      const texts = pathsOf(paths);
      const names = SafeArray();
      for (let i = 0; i < files.length; i += 1) ArrayPrototypePush(names, isNullish(files[i]) ? '' : nameOf(files[i]));
      return host('net_grpc.load', number, texts, names);
    },
    loadProtoset(path) {
      mustBeInInit();
      return host('net_grpc.load_protoset', number, asText(path));
    },
  };
  keepNumber(client, number);
  return ObjectFreeze(client);
}

const nameOf = (file) => (ArrayIsArray(file) ? ArrayPrototypeJoin(file, ',') : String(file));

export { Stream };

export const StatusOK = CODES[0];
export const StatusCanceled = CODES[1];
export const StatusUnknown = CODES[2];
export const StatusInvalidArgument = CODES[3];
export const StatusDeadlineExceeded = CODES[4];
export const StatusNotFound = CODES[5];
export const StatusAlreadyExists = CODES[6];
export const StatusPermissionDenied = CODES[7];
export const StatusResourceExhausted = CODES[8];
export const StatusFailedPrecondition = CODES[9];
export const StatusAborted = CODES[10];
export const StatusOutOfRange = CODES[11];
export const StatusUnimplemented = CODES[12];
export const StatusInternal = CODES[13];
export const StatusUnavailable = CODES[14];
export const StatusDataLoss = CODES[15];
export const StatusUnauthenticated = CODES[16];
export const HealthCheckUnknown = SERVING[0];
export const HealthCheckServing = SERVING[1];
export const HealthCheckNotServing = SERVING[2];
export const HealthCheckServiceUnkown = SERVING[3]; // k6's spelling

export default {
  Client,
  Stream,
  StatusOK,
  StatusCanceled,
  StatusUnknown,
  StatusInvalidArgument,
  StatusDeadlineExceeded,
  StatusNotFound,
  StatusAlreadyExists,
  StatusPermissionDenied,
  StatusResourceExhausted,
  StatusFailedPrecondition,
  StatusAborted,
  StatusOutOfRange,
  StatusUnimplemented,
  StatusInternal,
  StatusUnavailable,
  StatusDataLoss,
  StatusUnauthenticated,
  HealthCheckUnknown,
  HealthCheckServing,
  HealthCheckNotServing,
  HealthCheckServiceUnkown,
};
