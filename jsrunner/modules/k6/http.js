// k6/http: https://grafana.com/docs/k6/latest/javascript-api/k6-http/
// A request is one call down to Python, which also follows redirections and takes the samples.
// @ts-check
import {
  FinalizationRegistry, GoError, GoValue, callPython, context, entries, flush, host, hostError, pack, packText, release,
  tagValues, unpack,
} from 'jsrunner:host';
import { goType } from 'jsrunner:bytes';
import { get as select } from 'jsrunner:gjson';
import { forget, listen } from 'jsrunner:loop';

const { parse, stringify } = JSON;

const SHORT = 2048; // characters: longer bodies cross beside the JSON
const NULL_BODY = "the body is null so we can't transform it to ";
const REASON = ' - this likely was because of a request error getting the response';
const CODINGS = ['gzip', 'deflate', 'zstd', 'br'];
const RESPONSE_TYPES = ['text', 'binary', 'none'];
const FORM = 'application/x-www-form-urlencoded';

// What cannot cross as the name of an operation: it would end at a NUL, and is no text with half a character.
const NOT_A_NAME = /[\0\ud800-\udfff]/;

const isNullish = (value) => value === undefined || value === null;
const isObject = (value) => typeof value === 'object' && value !== null;
const asText = (value) => (typeof value === 'string' ? value : isNullish(value) ? '' : String(value));

/** What k6 refuses before it makes a request. */
class Refusal {
  constructor(text) {
    this.text = text;
  }
}

// -- http.url, http.file, http.expectedStatuses ------------------------------------------------------

/** A URL made of a template: its name has `${}` in place of each value. */
class TemplateURL {
  constructor(name, address) {
    this.name = name;
    this.url = address;
    this.clean_url = host('http.clean_url', address);
    if (name === address) this.name = this.clean_url;
  }
}

export function url(parts, ...pieces) {
  let name = '';
  let address = '';
  for (let i = 0; i < parts.length; i += 1) {
    name += parts[i];
    address += parts[i];
    if (i < pieces.length) {
      name += '${}';
      address += asText(pieces[i]);
    }
  }
  return new TemplateURL(name, address);
}

class FileData {
  constructor(data, filename, contentType) {
    this.data = data;
    this.filename = filename;
    this.content_type = contentType;
  }
}

const isBytes = (value) => value instanceof ArrayBuffer || value instanceof Uint8Array;

export function file(data, filename, contentType) {
  if (typeof data !== 'string' && !isBytes(data)) {
    throw new GoError(`invalid type ${goType(data)}, expected string or ArrayBuffer`);
  }
  return new FileData(
    data,
    arguments.length > 1 ? asText(filename) : `${Date.now()}000000`,
    arguments.length > 2 ? asText(contentType) : 'application/octet-stream',
  );
}

class ExpectedStatuses {
  #statuses;
  constructor(statuses) {
    this.#statuses = statuses;
  }
  /** Statuses and [min, max], undefined for what is no object of this class. */
  static of(value) {
    return isObject(value) && #statuses in value ? value.#statuses : undefined;
  }
}

export function expectedStatuses(...args) {
  if (args.length === 0) throw new GoError('no arguments');
  return new ExpectedStatuses(args.map((argument, i) => {
    if (isNullish(argument)) throw new TypeError('Cannot convert undefined or null to object');
    if (Number.isInteger(argument)) return argument;
    const range = Object(argument);
    if (!('min' in range && 'max' in range)) {
      throw new GoError(`argument number ${i + 1} to expectedStatuses was neither an integer nor an object like `
        + '{min:100, max:329}');
    }
    if (!Number.isInteger(range.min) || !Number.isInteger(range.max)) {
      throw new GoError(`both min and max need to be integers for argument number ${i + 1}`);
    }
    return [range.min, range.max];
  }));
}

// undefined is k6's own (200 to 399), null is none.
let responseCallback;

export function setResponseCallback(callback) {
  if (isNullish(callback)) {
    responseCallback = null;
    return;
  }
  responseCallback = ExpectedStatuses.of(callback);
  if (!responseCallback) throw new GoError('unsupported argument, expected http.expectedStatuses');
}

// -- cookie jars ---------------------------------------------------------------------------------------

const jars = new FinalizationRegistry((handle) => host('http.drop_jar', handle));

const jarOptions = (options) => {
  const given = {};
  if (isNullish(options)) return given;
  const source = Object(options);
  for (const key of Object.keys(source)) {
    const value = source[key];
    switch (key.toLowerCase()) {
      case 'path': given.path = String(value); break;
      case 'domain': given.domain = String(value); break;
      case 'expires': given.expires = String(value); break;
      case 'max_age': given.max_age = Math.trunc(Number(value)) || 0; break;
      case 'secure': given.secure = Boolean(value); break;
      case 'http_only': given.http_only = Boolean(value); break;
      default:
    }
  }
  return given;
};

class Jar {
  #handle;
  constructor(handle) {
    this.#handle = handle;
    jars.register(this, handle);
    this.clear = (address) => host('http.jar_clear', handle, asText(address));
    this.cookiesForURL = (address) => host('http.jar_cookies', handle, asText(address));
    this.delete = (address, name) => {
      if (asText(name) === '') throw new GoError('cookie: is null');
      host('http.jar_delete', handle, asText(address), asText(name));
    };
    this.set = (address, name, value, options) => host(
      'http.jar_set', handle, asText(address), asText(name), asText(value), jarOptions(options),
    );
  }
  /** The number by which Python knows the jar. */
  get jarHandle() {
    return this.#handle;
  }
  static handleOf(value) {
    return isObject(value) && #handle in value ? value.#handle : undefined;
  }
}

export function CookieJar() {
  return new Jar(host('http.new_jar'));
}

export function cookieJar() {
  if (context.inInit) throw new GoError('Making cookie jars in the init context is not supported');
  return new Jar(host('http.current_jar'));
}

// -- what a request is made of -------------------------------------------------------------------------

/** A number as Go's %v writes it. */
const goNumber = (value) => {
  if (Number.isSafeInteger(value)) return String(value);
  if (!Number.isFinite(value)) return { [Infinity]: '+Inf', [-Infinity]: '-Inf' }[value] ?? 'NaN';
  const [, digits, sign, exponent] = /^(.*)e([+-])(\d+)$/.exec(value.toExponential());
  const power = Number(sign + exponent);
  return power < -4 || power >= 6 ? `${digits}e${sign}${exponent.padStart(2, '0')}` : String(value);
};

const formValue = (value) => {
  if (isNullish(value)) return '';
  if (typeof value === 'number') return goNumber(value);
  if (typeof value === 'object') {
    host('http.warn', `cannot urlencode a nested ${goType(value)} value in a request form body; encoding it as an `
      + 'empty value, use JSON.stringify() to send structured data');
    return '';
  }
  return String(value);
};

/** As Go's url.QueryEscape. */
const escaped = (text) => encodeURIComponent(text.toWellFormed())
  .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  .replaceAll('%20', '+');

const formOf = (fields) => {
  const pairs = [];
  for (const key of Object.keys(fields).sort()) {
    const value = fields[key];
    for (const one of Array.isArray(value) ? value : [value]) pairs.push(`${escaped(key)}=${escaped(formValue(one))}`);
  }
  return pairs.join('&');
};

const bytesOf = (data) => {
  if (data instanceof ArrayBuffer) return data;
  return data.byteLength === data.buffer.byteLength
    ? data.buffer
    : data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
};

const packData = (data) => (typeof data === 'string' ? ['text', packText(data)] : ['buffer', pack(bytesOf(data))]);

const boundary = () => Array.from({ length: 60 }, () => Math.floor(Math.random() * 16).toString(16)).join('');

const partsOf = (fields) => Object.keys(fields).sort().map((name) => {
  const value = fields[name];
  return value instanceof FileData
    ? [name, value.filename, value.content_type, ...packData(value.data)]
    : [name, null, null, ...packData(formValue(value))];
});

/** The body of a request: `cross()` is what goes to Python, `text()` what response.request.body is. */
class Body {
  constructor(data, type, mark) {
    this.data = data;
    this.type = type; // Content-Type, if the body brings one
    this.mark = mark; // the boundary of multipart/form-data
  }
  cross() {
    const { data, mark } = this;
    if (mark) return ['multipart', mark, partsOf(data)];
    return typeof data === 'string' && data.length <= SHORT && data.isWellFormed() ? data : packData(data);
  }
  text() {
    if (typeof this.data === 'string') return this.data;
    const text = unpack(host('http.body_text', this.cross()));
    release();
    return text;
  }
}

const bodyOf = (body) => {
  if (isNullish(body)) return null;
  if (typeof body === 'string' || isBytes(body)) return new Body(body);
  if (body instanceof FileData) throw new Refusal('unknown request body type *http.FileData');
  if (ArrayBuffer.isView(body)) {
    const type = body.constructor.name.replace(/Clamped|Array/g, '').replace('Big', '').toLowerCase();
    throw new Refusal(`unknown request body type []${type}`);
  }
  if (!isObject(body) || Array.isArray(body)) throw new Refusal(`unknown request body type ${goType(body)}`);
  if (Object.values(body).some((value) => value instanceof FileData)) {
    const mark = boundary();
    return new Body(body, `multipart/form-data; boundary=${mark}`, mark);
  }
  return new Body(formOf(body), FORM);
};

const cookieRows = (cookies) => {
  const source = Object(cookies);
  const rows = [];
  for (const name of Object.keys(source)) {
    const cookie = source[name];
    if (isNullish(cookie)) continue;
    if (!isObject(cookie)) {
      rows.push([name, String(cookie), false]);
      continue;
    }
    const row = [name, '', false];
    for (const key of Object.keys(cookie)) {
      if (key.toLowerCase() === 'value') row[1] = String(cookie[key]);
      else if (key.toLowerCase() === 'replace') row[2] = Boolean(cookie[key]);
    }
    rows.push(row);
  }
  return rows;
};

const codingsOf = (value) => {
  const text = String(value).trim();
  return text === '' ? [] : text.split(',').map((one) => {
    const coding = one.trim();
    if (!CODINGS.includes(coding)) {
      throw new Refusal(`unknown compression algorithm ${coding}, supported algorithms are [${CODINGS.join(' ')}]`);
    }
    return coding;
  });
};

const tagsOf = (value) => {
  try {
    return tagValues(value, 'invalid HTTP request metric tags: ');
  } catch (error) {
    throw error instanceof GoError ? new Refusal(error.message) : error;
  }
};

/** What params say, by the names of modules/k6/http.py; null for nothing. */
const readParams = (params, body) => {
  let more = null;
  if (body?.type) more = { type: body.type };
  if (responseCallback !== undefined) (more ??= {}).callback = responseCallback;
  if (isNullish(params)) return more;
  const source = Object(params);
  for (const key of Object.keys(source)) {
    const value = source[key];
    switch (key) {
      case 'headers':
        if (!isNullish(value)) {
          const headers = [];
          for (const name of Object.keys(Object(value))) headers.push(name, String(value[name]));
          (more ??= {}).headers = headers;
        }
        break;
      case 'tags':
        if (!isNullish(value)) (more ??= {}).tags = tagsOf(value);
        break;
      case 'cookies':
        if (!isNullish(value)) (more ??= {}).cookies = cookieRows(value);
        break;
      case 'jar': {
        const jar = Jar.handleOf(value);
        if (jar !== undefined) (more ??= {}).jar = jar;
        break;
      }
      case 'compression': (more ??= {}).compression = codingsOf(value); break;
      case 'redirects': (more ??= {}).redirects = Math.trunc(Number(value)) || 0; break;
      case 'auth': (more ??= {}).auth = String(value); break;
      case 'timeout': (more ??= {}).timeout = value ?? null; break;
      case 'throw': (more ??= {}).throw = Boolean(value); break;
      case 'responseType':
        if (!RESPONSE_TYPES.includes(String(value))) {
          throw new Refusal(`${value} does not belong to ResponseType values`);
        }
        (more ??= {}).responseType = String(value);
        break;
      case 'responseCallback': {
        const statuses = isNullish(value) ? null : ExpectedStatuses.of(value);
        if (statuses === undefined) throw new Refusal('unsupported responseCallback');
        (more ??= {}).callback = statuses;
        break;
      }
      default:
    }
  }
  return more;
};

const goShown = (value) => {
  if (isNullish(value)) return '<nil>';
  if (typeof value === 'number') return goNumber(value);
  return isObject(value) ? 'map[]' : String(value);
};

/** A request: what goes to Python, and what its response repeats of it. */
const requestOf = (method, address, body, params) => {
  const known = typeof address === 'string' ? address : address instanceof TemplateURL ? address.url : null;
  if (known === null) throw new Refusal(`invalid URL: '#${goShown(address)}'`);
  const name = known !== address && address.name !== address.clean_url ? address.name : null;
  const sent = bodyOf(body);
  const more = readParams(params, sent);
  return { spec: [method, known, name, sent && sent.cross(), more], body: sent };
};

// -- responses -----------------------------------------------------------------------------------------

const cookieList = (rows) => {
  const found = {};
  for (const [name, value, domain, path, http_only, secure, max_age, expires] of rows) {
    (found[name] ??= []).push({ name, value, domain, path, http_only, secure, max_age, expires });
  }
  return found;
};

let defaultHeaders;

/** What `response.request` is. */
const requestShown = ([method, address], body, more) => {
  const cookies = {};
  for (const [name, value] of more.sent ?? []) (cookies[name] ??= []).push({ name, value, replace: false });
  defaultHeaders ??= host('http.default_headers');
  return {
    method,
    url: more.asked ?? address,
    headers: parse(more.headers ?? defaultHeaders),
    body: body ? body.text() : '',
    cookies,
  };
};

let parseHTML;
entries.adoptParser = (parser) => {
  parseHTML = parser;
};

const textOf = (body, kind) => {
  if (isNullish(body)) throw new GoError(NULL_BODY + kind + REASON);
  if (typeof body === 'string') return body;
  const text = unpack(host('http.body_text', packData(body)));
  release();
  return text;
};

const jsonError = (text) => {
  const message = host('http.json_error', ...packData(text));
  release();
  return new GoError(message);
};

const optionsOf = (args, known) => {
  if (args.length) for (const key of Object.keys(Object(args[0]))) if (key in known) known[key] = args[0][key];
  return known;
};

// Where a response keeps what its body was parsed to, for paths.
const PARSED = Symbol('parsed');

// The methods of responses. They are no closures: a response that is part of a cycle would stay until
// the next collection, and there are many of them.

function html(...args) {
  const text = textOf(this.body, 'HTML');
  if (!parseHTML) host('http.load_html');
  const page = parseHTML(text, this.url);
  return args.length ? page.find(asText(args[0])) : page;
}

function json(...args) {
  const text = textOf(this.body, 'JSON');
  if (args.length === 0) {
    try {
      return parse(text);
    } catch {
      throw jsonError(text);
    }
  }
  if (!(PARSED in this)) {
    try {
      this[PARSED] = parse(text);
    } catch {
      return undefined;
    }
  }
  const found = select(this[PARSED], asText(args[0]));
  return isObject(found) ? parse(stringify(found)) : found;
}

function submitForm(...args) {
  const { formSelector, submitSelector, fields, params } = optionsOf(args, {
    formSelector: 'form', submitSelector: '[type="submit"]', fields: undefined, params: null,
  });
  const form = html.call(this, formSelector);
  if (form.size() === 0) {
    throw new GoError(`no form found for selector '${formSelector}' in response '${this.url}'`);
  }
  const verb = form.attr('method')?.toUpperCase() ?? 'GET';
  const values = form.serializeObject();
  const submit = form.find(submitSelector);
  const [name, value] = [submit.attr('name'), submit.val()];
  if (name !== undefined && value !== undefined) values[name] = value;
  Object.assign(values, fields);
  let query = null;
  if (verb === 'GET') query = formOf(Object.fromEntries(Object.entries(values).map(([k, v]) => [k, String(v)])));
  const address = host('http.resolve_url', this.url, form.attr('action') ?? '', query);
  return request(verb, address, verb === 'GET' ? null : values, params);
}

function clickLink(...args) {
  const { selector, params } = optionsOf(args, { selector: 'a[href]', params: null });
  const link = html.call(this, selector);
  if (link.size() === 0) {
    throw new GoError(`no element found for selector '${selector}' in response '${this.url}'`);
  }
  const href = link.attr('href');
  if (href === undefined) {
    throw new GoError(`no valid href attribute value found on element '${selector}' in response '${this.url}'`);
  }
  return request('GET', host('http.resolve_url', this.url, href, null), null, params);
}

// Heads that have come with responses: [number, status_text, proto, headers as JSON] by their numbers.
const heads = [];

const headOf = (shown) => {
  if (typeof shown === 'number') return heads[shown];
  if (shown[0] >= 0) heads[shown[0]] = shown;
  return shown;
};

/**
 * A response from its row (see `_json` in modules/k6/http_flow.py). What is rarely read is made when it is,
 * in the row itself, which is all that the accessors hold on to.
 */
const responseOf = (row, spec, body) => {
  const head = headOf(row[1]);
  const more = row[11];
  row.push(spec, body, head[3]);
  const status = row[0];
  const content = row[2];
  const sending = row[8] / 1000;
  const waiting = row[9] / 1000;
  const receiving = row[10] / 1000;
  return {
    remote_ip: row[3],
    remote_port: row[4],
    url: more ? more.url ?? more.asked ?? spec[1] : spec[1],
    status,
    status_text: head[1],
    proto: head[2],
    get headers() {
      if (typeof row[14] === 'string') row[14] = parse(row[14]);
      return row[14];
    },
    cookies: more && more.cookies ? cookieList(more.cookies) : {},
    body: typeof content === 'object' && content !== null ? unpack(content[0]) : content,
    timings: {
      duration: sending + waiting + receiving,
      blocked: row[5] / 1000,
      looking_up: 0,
      connecting: row[6] / 1000,
      tls_handshaking: row[7] / 1000,
      sending,
      waiting,
      receiving,
    },
    tls_version: more && more.tls ? more.tls[0] : '',
    tls_cipher_suite: more && more.tls ? more.tls[1] : '',
    get ocsp() {
      return row[15] ??= {
        produced_at: 0,
        this_update: 0,
        next_update: 0,
        revoked_at: 0,
        revocation_reason: '',
        status: row[11].tls ? 'unknown' : '',
      };
    },
    error: more && more.error ? more.error : '',
    error_code: more && more.code ? more.code : status >= 400 ? status + 1000 : 0,
    get request() {
      return row[16] ??= requestShown(row[12], row[13], row[11]);
    },
    clickLink,
    html,
    json,
    submitForm,
  };
};

const NO_HEAD = [-1, '', '', '{}'];

/** The response of a request that was not made. */
const refused = ({ error, code }) => {
  const more = { error, code };
  const response = responseOf([0, NO_HEAD, null, '', 0, 0, 0, 0, 0, 0, 0, more], ['', ''], null);
  response.body = new Uint8Array(0);
  Object.defineProperty(response, 'request', { value: null, writable: true });
  return response;
};

const resultOf = (row, spec, body) => (Array.isArray(row) ? responseOf(row, spec, body) : refused(row));

// -- requests ------------------------------------------------------------------------------------------

const refuse = (error, address) => {
  if (!(error instanceof Refusal)) throw error;
  return refused(host('http.refuse', typeof address === 'string' ? address : null, error.text));
};

export function request(method, address, body, params) {
  if (context.inInit) throw new GoError('Making http requests in the init context is not supported');
  flush();
  if (method === 'GET' && typeof address === 'string' && isNullish(body) && isNullish(params)
    && responseCallback === undefined && !NOT_A_NAME.test(address)) {
    let row;
    try {
      row = callPython(`\x06${address}`);
    } catch (error) {
      throw hostError(error);
    }
    return resultOf(row, [method, address], null);
  }
  let made;
  try {
    made = requestOf(asText(method), address, body, params);
  } catch (error) {
    return refuse(error, address);
  }
  try {
    return resultOf(host('http.request', ...made.spec), made.spec, made.body);
  } finally {
    if (made.body) release();
  }
}

const warnOfMore = (name, count) => {
  if (count === 0 || context.inInit) return;
  host('http.warn', `http.${name} only accepts a url and a params argument (2 arguments), but ${count + 2} were given`);
};

const method = (name) => (address, body, params) => request(name, address, body, params);

export function get(address, params, ...more) {
  warnOfMore('get', more.length);
  return request('GET', address, undefined, params);
}

export function head(address, params, ...more) {
  warnOfMore('head', more.length);
  return request('HEAD', address, undefined, params);
}

export const post = method('POST');
export const put = method('PUT');
export const patch = method('PATCH');
export const del = method('DELETE');
export const options = method('OPTIONS');

export function asyncRequest(name, address, body, params) {
  if (context.inInit) throw new GoError('Making http requests in the init context is not supported');
  flush();
  return new Promise((resolve, reject) => {
    const settle = ({ response, throws }, made) => {
      if (throws !== undefined) reject(new GoValue(throws));
      else resolve(resultOf(response, made?.spec, made?.body));
    };
    let made;
    try {
      made = requestOf(asText(name), address, body, params);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      try {
        resolve(refuse(error, address));
      } catch (thrown) {
        reject(thrown.value ?? thrown);
      }
      return;
    }
    const handle = host('http.begin', ...made.spec);
    if (made.body) release();
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

const goSyntax = (value) => {
  if (isNullish(value)) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  return typeof value === 'string' ? stringify(value) : String(value);
};

const methodOf = (value) => {
  if (typeof value === 'string') return value;
  throw new Refusal(`invalid method type '${isNullish(value) ? '<nil>' : goSyntax(value)}'`);
};

const batchItem = (item, key) => {
  if (Array.isArray(item)) {
    if (item.length < 2) throw new Refusal(`invalid batch request '${goSyntax(item)}'`);
    return requestOf(methodOf(item[0]), item[1], item[2], item[3]);
  }
  if (!isObject(item) || item instanceof TemplateURL) return requestOf('GET', item);
  if (!('url' in item)) throw new Refusal(`batch request ${key} doesn't have a url key`);
  let name = 'GET';
  let { body } = item;
  if ('method' in item) {
    name = methodOf(item.method).toUpperCase();
    if (name === 'GET' || name === 'HEAD') body = null;
  }
  return requestOf(name, item.url, body, item.params);
};

export function batch(...args) {
  if (context.inInit) throw new GoError('Using batch in the init context is not supported');
  if (args.length === 0) throw new GoError('no argument was provided to http.batch()');
  if (args.length > 1) throw new GoError('http.batch() accepts only an array or an object of requests');
  const [requests] = args;
  if (!isObject(requests)) {
    throw new GoError(`invalid http.batch() argument type ${typeof requests === 'string' ? 'string' : goType(requests)}`);
  }
  flush();
  const made = [];
  for (const key of Object.keys(requests)) {
    try {
      made.push(batchItem(requests[key], key));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      made.push({ spec: error.text });
      break;
    }
  }
  let rows;
  try {
    rows = host('http.batch', made.map(({ spec }) => spec));
  } finally {
    release();
  }
  const keys = Object.keys(requests);
  const results = keys.map((key, i) => {
    if (rows[i] === undefined || rows[i] === null) return null;
    return resultOf(rows[i], made[i].spec, made[i].body);
  });
  if (Array.isArray(requests)) return results;
  return Object.fromEntries(keys.map((key, i) => [key, results[i]]).filter(([, result]) => result !== null));
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
