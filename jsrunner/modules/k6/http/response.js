// jsrunner:k6/http/response — responses for scripts, made of rows from the core or from Python.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { addGoMethod } from 'jsrunner:go_methods';
import { headersOf, importNow } from 'jsrunner:core';
import { host } from 'jsrunner:host';
import { get as select } from 'jsrunner:k6/http/gjson';
import { textOrBuffer } from 'jsrunner:k6/http/request';
import { formOf } from 'jsrunner:k6/http/values';
import {
  ArrayFromSafe, ArrayIsArray, ArrayPrototypePush, FunctionPrototypeCall, JSONParse, Object, ObjectCreate,
  ObjectDefineProperty, ObjectKeys, ObjectPrototype, ObjectSetPrototypeOf, SafeArray, SafeWeakMap, String,
  StringPrototypeToUpperCase, TypeError,
} from 'jsrunner:primordials';
import { asText, isNullish, isObject, setOwn } from 'jsrunner:values';

const NULL_BODY = "the body is null so we can't transform it to ";
const REASON = ' - this likely was because of a request error getting the response';

let request;
/** Set `make` to http.request, which forms and links call. */
export const adoptRequest = (make) => {
  request = make;
};

/** A module for the first use of response.html(). It imports k6/html to load that module's Python half. */
const HTML = "import 'k6/html'; export { Selection, parse } from 'jsrunner:html/selection';";
/** @type {typeof import('jsrunner:html/selection').Selection} */
let Selection;
let parseHTML;

const textOf = (body, kind) => {
  if (isNullish(body)) throw new GoError(NULL_BODY + kind + REASON);
  if (typeof body === 'string') return body;
  if (ArrayIsArray(body)) return ''; // of a request that was not made
  return host('http.body_text', textOrBuffer(body));
};

const jsonError = (text) => new GoError(host('http.json_error', text));

const optionsOf = (args, known) => {
  if (!args.length) return known;
  if (isNullish(args[0])) throw new TypeError('Cannot convert undefined or null to object');
  const names = ObjectKeys(Object(args[0]));
  for (let i = 0; i < names.length; i += 1) if (names[i] in known) known[names[i]] = args[0][names[i]];
  return known;
};

const copyInto = (target, source) => {
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i += 1) target[names[i]] = source[names[i]];
};

// Response -> its parsed body, for response.json(path).
const parsed = new SafeWeakMap();

// The methods of responses. They are no closures, because a closure would form a cycle with its response. A cycle is
// freed only by the next collection, and there are many responses.

function html(...args) {
  const text = textOf(this.body, 'HTML');
  if (!parseHTML) {
    const loaded = importNow(HTML, 'jsrunner:load/html', (error) => {
      throw error;
    });
    parseHTML = loaded.parse;
    Selection = loaded.Selection;
  }
  const page = parseHTML(text, this.url);
  return args.length ? Selection.below(page, asText(args[0])) : page;
}

/** Return a copy of a JSON value, which the script may change. */
const copied = (value) => {
  if (!isObject(value)) return value;
  const copy = ArrayIsArray(value) ? [] : {};
  const names = ObjectKeys(value);
  for (let i = 0; i < names.length; i += 1) setOwn(copy, names[i], copied(value[names[i]]));
  return copy;
};

function json(...args) {
  const text = textOf(this.body, 'JSON');
  if (args.length === 0) {
    try {
      return JSONParse(text);
    } catch {
      throw jsonError(text);
    }
  }
  let whole = parsed.get(this);
  if (whole === undefined) {
    try {
      whole = JSONParse(text);
    } catch {
      return undefined;
    }
    parsed.set(this, whole);
  }
  const found = select(whole, asText(args[0]));
  return copied(found);
}

const notThere = (what, selector, response) => 'no ' + what + " for selector '" + String(selector)
  + "' in response '" + String(response.url) + "'";

function submitForm(...args) {
  const options = optionsOf(args, {
    __proto__: null, formSelector: 'form', submitSelector: '[type="submit"]', fields: undefined, params: null,
  });
  const form = FunctionPrototypeCall(html, this, options.formSelector);
  if (Selection.count(form) === 0) {
    throw new GoError(notThere('form found', options.formSelector, this));
  }
  const verb = StringPrototypeToUpperCase(Selection.attributeOf(form, 'method') ?? 'GET');
  const values = { __proto__: null };
  const sent = Selection.fieldsOf(form);
  for (let i = 0; i < sent.length; i += 1) values[sent[i][0]] = sent[i][1] ?? undefined;
  const submit = Selection.below(form, options.submitSelector);
  const name = Selection.attributeOf(submit, 'name');
  const value = Selection.fieldOf(submit);
  if (name !== undefined && value !== undefined) values[name] = value;
  if (!isNullish(options.fields)) copyInto(values, Object(options.fields));
  let query = null;
  if (verb === 'GET') {
    const names = ObjectKeys(values);
    for (let i = 0; i < names.length; i += 1) values[names[i]] = String(values[names[i]]);
    query = formOf(values);
  }
  const address = host('http.resolve_url', this.url, Selection.attributeOf(form, 'action') ?? '', query);
  return request(verb, address, verb === 'GET' ? null : values, options.params);
}

function clickLink(...args) {
  const { selector, params } = optionsOf(args, { __proto__: null, selector: 'a[href]', params: null });
  const link = FunctionPrototypeCall(html, this, selector);
  if (Selection.count(link) === 0) {
    throw new GoError(notThere('element found', selector, this));
  }
  const href = Selection.attributeOf(link, 'href');
  if (href === undefined) {
    throw new GoError("no valid href attribute value found on element '" + String(selector) + "' in response '"
      + String(this.url) + "'");
  }
  return request('GET', host('http.resolve_url', this.url, href, null), null, params);
}

addGoMethod(clickLink);
addGoMethod(html);
addGoMethod(json);
addGoMethod(submitForm);

/** Return an ordinary object, for scripts, of lists of cookies by their names. */
const byName = (rows, make) => {
  const lists = { __proto__: null };
  for (let i = 0; i < rows.length; i += 1) {
    const name = rows[i][0];
    ArrayPrototypePush(lists[name] ??= SafeArray(), make(rows[i]));
  }
  const names = ObjectKeys(lists);
  for (let i = 0; i < names.length; i += 1) ArrayFromSafe(lists[names[i]]);
  return ObjectSetPrototypeOf(lists, ObjectPrototype);
};

/** Return a cookie of `response.cookies` from a row of Python's `_cookie_rows`. */
const cookieOf = (row) => ({
  name: row[0],
  value: row[1],
  domain: row[2],
  path: row[3],
  http_only: row[4],
  secure: row[5],
  max_age: row[6],
  expires: row[7],
});

const sentCookieOf = (row) => ({ name: row[0], value: row[1], replace: false });

const NONE = SafeArray();
let defaultHeaders;

/** Return the object `response.request`. */
const requestShown = (spec, body, more) => {
  defaultHeaders ??= host('http.default_headers');
  return {
    method: spec[0],
    url: more.asked ?? spec[1],
    headers: JSONParse(more.headers ?? defaultHeaders),
    body: body ? body.text() : '',
    cookies: byName(more.sent ?? NONE, sentCookieOf),
  };
};

/**
 * Return a response made from a row: that of `row_of` in core/http.c, or of `_row` in modules/k6/http/flow.py. Rarely
 * read members are made at their first access and stored in the row, the only object that the accessors refer to.
 */
const fromRow = (row, spec, body) => {
  const more = row[13];
  ObjectSetPrototypeOf(row, null);
  if (more) ObjectSetPrototypeOf(more, null);
  row[14] = spec;
  row[15] = body;
  const status = row[0];
  const content = row[4];
  const sending = row[10] / 1000;
  const waiting = row[11] / 1000;
  const receiving = row[12] / 1000;
  return {
    remote_ip: row[5],
    remote_port: row[6],
    url: more ? more.url ?? (more.error === undefined ? more.asked : undefined) ?? spec[1] : spec[1],
    status,
    status_text: row[1],
    proto: row[2],
    get headers() {
      if (typeof row[3] === 'string') row[3] = headersOf(row[3]);
      return row[3];
    },
    cookies: more && more.cookies ? byName(more.cookies, cookieOf) : ObjectCreate(ObjectPrototype),
    body: content,
    timings: {
      duration: sending + waiting + receiving,
      blocked: row[7] / 1000,
      looking_up: 0,
      connecting: row[8] / 1000,
      tls_handshaking: row[9] / 1000,
      sending,
      waiting,
      receiving,
    },
    tls_version: more && more.tls ? more.tls[0] : '',
    tls_cipher_suite: more && more.tls ? more.tls[1] : '',
    get ocsp() {
      return row[16] ??= {
        produced_at: 0,
        this_update: 0,
        next_update: 0,
        revoked_at: 0,
        revocation_reason: '',
        status: row[13].tls ? 'unknown' : '',
      };
    },
    error: more && more.error ? more.error : '',
    error_code: more && more.code ? more.code : status >= 400 ? status + 1000 : 0,
    get request() {
      return row[17] ??= requestShown(row[14], row[15], row[13]);
    },
    clickLink,
    html,
    json,
    submitForm,
  };
};

/** Return the response of a request that was not made. */
const refused = ({ error, code }) => {
  const more = { __proto__: null, error, code };
  const response = fromRow([0, '', '', '', null, '', 0, 0, 0, 0, 0, 0, 0, more], ['', ''], null);
  response.body = ArrayFromSafe(SafeArray());
  ObjectDefineProperty(response, 'request', { __proto__: null, value: null, writable: true });
  return response;
};

/** Return the response to `requestOf`'s spec and body, made from a row or from a Refusal. */
export const responseOf = (row, spec, body) => (ArrayIsArray(row) ? fromRow(row, spec, body) : refused(row));
