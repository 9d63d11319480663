// k6/http: https://grafana.com/docs/k6/latest/javascript-api/k6-http/
// A request is one call of the core (core/http.h) or of Python, which follows redirections and records the samples.
// @ts-check
import { context } from 'jsrunner:context';
import { GoError, GoValue } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import { exchange } from 'jsrunner:core';
import { host } from 'jsrunner:host';
import { CookieJar, cookieJar } from 'jsrunner:k6/http/cookies';
import {
  Refusal, TemplateURL, expectedStatuses, file, requestOf, statusesOf, url,
} from 'jsrunner:k6/http/request';
import { adoptRequest, responseOf } from 'jsrunner:k6/http/response';
import { goSyntax } from 'jsrunner:k6/http/values';
import { forget, listen } from 'jsrunner:loop';
import {
  ArrayFromSafe, ArrayIsArray, ArrayPrototypeMap, ArrayPrototypePush, ObjectHasOwn, ObjectKeys, ObjectPrototype,
  ObjectSetPrototypeOf, Promise, SafeArray, StringPrototypeToUpperCase, isInstance,
} from 'jsrunner:primordials';
import { asText, isNullish, isObject } from 'jsrunner:values';

export {
  CookieJar, cookieJar, expectedStatuses, file, url,
};

// The expected statuses: undefined for k6's default (200 to 399), null to judge none.
let responseCallback;

export function setResponseCallback(callback) {
  if (callback === null || arguments.length === 0) {
    responseCallback = null;
    return;
  }
  responseCallback = statusesOf(callback);
  if (!responseCallback) throw new GoError('unsupported argument, expected http.expectedStatuses');
}

// -- requests ------------------------------------------------------------------------------------------

const refuse = (error, address) => {
  if (!isInstance(Refusal, error)) throw error;
  return responseOf(host('http.refuse', typeof address === 'string' ? address : null, error.text));
};

export function request(verb, address, body, params) {
  if (context.inInit) throw new GoError('Making http requests in the init context is not supported');
  let made;
  try {
    made = requestOf(asText(verb), address, body, params, responseCallback);
  } catch (error) {
    return refuse(error, address);
  }
  const { spec } = made;
  return responseOf(exchange(spec[0], spec[1], spec[2], spec[3], spec[4]), spec, made.body);
}
adoptRequest(request);

const warnOfMore = (name, count) => {
  if (context.inInit) return;
  host('http.warn', 'http.' + name + ' only accepts a url and a params argument (2 arguments), but ' + (count + 2)
    + ' were given');
};

export function get(address, params, ...more) {
  if (more.length > 0) warnOfMore('get', more.length);
  return request('GET', address, undefined, params);
}

export function head(address, params, ...more) {
  if (more.length > 0) warnOfMore('head', more.length);
  return request('HEAD', address, undefined, params);
}

const withBody = (verb) => (address, body, params) => request(verb, address, body, params);

export const post = withBody('POST');
export const put = withBody('PUT');
export const patch = withBody('PATCH');
export const del = withBody('DELETE');
export const options = withBody('OPTIONS');

export function asyncRequest(name, address, body, params) {
  if (context.inInit) throw new GoError('Making http requests in the init context is not supported');
  return new Promise((resolve, reject) => {
    const settle = (outcome, made) => {
      if (ObjectHasOwn(outcome, 'throws')) reject(new GoValue(outcome.throws));
      else resolve(responseOf(outcome.response, made.spec, made.body));
    };
    let made;
    try {
      made = requestOf(asText(name), address, body, params, responseCallback);
    } catch (error) {
      if (!isInstance(Refusal, error)) throw error;
      try {
        resolve(refuse(error, address));
      } catch (thrown) {
        reject(isInstance(GoError, thrown) ? thrown.value : thrown);
      }
      return;
    }
    const { spec } = made;
    const handle = host('http.begin', spec[0], spec[1], spec[2], spec[3], spec[4]);
    if (typeof handle === 'object') {
      settle(handle, made);
      return;
    }
    listen(handle, (payload) => {
      forget(handle);
      settle(payload, made);
    });
  });
}

// -- batches -------------------------------------------------------------------------------------------

const verbOf = (value) => {
  if (typeof value === 'string') return value;
  throw new Refusal("invalid method type '" + (isNullish(value) ? '<nil>' : goSyntax(value)) + "'");
};

const batchItem = (item, key) => {
  if (ArrayIsArray(item)) {
    if (item.length < 2) throw new Refusal("invalid batch request '" + goSyntax(item) + "'");
    return requestOf(verbOf(item[0]), item[1], item[2], item[3], responseCallback);
  }
  if (!isObject(item) || isInstance(TemplateURL, item)) {
    return requestOf('GET', item, undefined, undefined, responseCallback);
  }
  if (!('url' in item)) throw new Refusal('batch request ' + key + " doesn't have a url key");
  let verb = 'GET';
  let { body } = item;
  if ('method' in item) {
    verb = StringPrototypeToUpperCase(verbOf(item.method));
    if (verb === 'GET' || verb === 'HEAD') body = null;
  }
  return requestOf(verb, item.url, body, item.params, responseCallback);
};

export function batch(...args) {
  if (context.inInit) throw new GoError('Using batch in the init context is not supported');
  if (args.length === 0) throw new GoError('no argument was provided to http.batch()');
  if (args.length > 1) throw new GoError('http.batch() accepts only an array or an object of requests');
  const requests = args[0];
  if (!isObject(requests)) {
    throw new GoError('invalid http.batch() argument type ' + (typeof requests === 'string' ? 'string' : goType(requests)));
  }
  const names = ObjectKeys(requests);
  const made = SafeArray();
  try {
    for (let i = 0; i < names.length; i += 1) ArrayPrototypePush(made, batchItem(requests[names[i]], names[i]));
  } catch (error) {
    if (!isInstance(Refusal, error)) throw error;
    ArrayPrototypePush(made, { spec: error.text });
  }
  const rows = host('http.batch', ArrayPrototypeMap(made, ({ spec }) => spec));
  const isList = ArrayIsArray(requests);
  const results = isList ? SafeArray() : { __proto__: null };
  for (let i = 0; i < names.length; i += 1) {
    const row = rows[i];
    if (row) results[isList ? i : names[i]] = responseOf(row, made[i].spec, made[i].body);
    else if (isList) results[i] = null;
  }
  return isList ? ArrayFromSafe(results) : ObjectSetPrototypeOf(results, ObjectPrototype);
}

// -- constants -----------------------------------------------------------------------------------------

export const TLS_1_0 = 'tls1.0';
export const TLS_1_1 = 'tls1.1';
export const TLS_1_2 = 'tls1.2';
export const TLS_1_3 = 'tls1.3';
export const OCSP_STATUS_GOOD = 'good';
export const OCSP_STATUS_REVOKED = 'revoked';
export const OCSP_STATUS_SERVER_FAILED = 'server_failed';
export const OCSP_STATUS_UNKNOWN = 'unknown';
export const OCSP_REASON_UNSPECIFIED = 'unspecified';
export const OCSP_REASON_KEY_COMPROMISE = 'key_compromise';
export const OCSP_REASON_CA_COMPROMISE = 'ca_compromise';
export const OCSP_REASON_AFFILIATION_CHANGED = 'affiliation_changed';
export const OCSP_REASON_SUPERSEDED = 'superseded';
export const OCSP_REASON_CESSATION_OF_OPERATION = 'cessation_of_operation';
export const OCSP_REASON_CERTIFICATE_HOLD = 'certificate_hold';
export const OCSP_REASON_REMOVE_FROM_CRL = 'remove_from_crl';
export const OCSP_REASON_PRIVILEGE_WITHDRAWN = 'privilege_withdrawn';
export const OCSP_REASON_AA_COMPROMISE = 'aa_compromise';

export default {
  get, head, post, put, patch, del, options, request, asyncRequest, batch, file, url, CookieJar, cookieJar,
  expectedStatuses, setResponseCallback, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, OCSP_STATUS_GOOD, OCSP_STATUS_REVOKED,
  OCSP_STATUS_SERVER_FAILED, OCSP_STATUS_UNKNOWN, OCSP_REASON_UNSPECIFIED, OCSP_REASON_KEY_COMPROMISE,
  OCSP_REASON_CA_COMPROMISE, OCSP_REASON_AFFILIATION_CHANGED, OCSP_REASON_SUPERSEDED,
  OCSP_REASON_CESSATION_OF_OPERATION, OCSP_REASON_CERTIFICATE_HOLD, OCSP_REASON_REMOVE_FROM_CRL,
  OCSP_REASON_PRIVILEGE_WITHDRAWN, OCSP_REASON_AA_COMPROMISE,
};
