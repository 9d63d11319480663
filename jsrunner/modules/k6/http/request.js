// jsrunner:k6/http/request — what a request is made of: its URL, body and parameters, as scripts give them.
// @ts-check
import {
  ArrayBuffer, Boolean, Date, GoError, Number, Object, String, TypeError, Uint8Array, host, includes, isArray, isInteger,
  isView, join, keys, lower, map, method, pack, packText, push, release, replaceIn, sort, splitAt, tagValues, trim, trunc,
  unpack, valuesOf,
} from 'jsrunner:host';
import { goType } from 'jsrunner:bytes';
import { handleOf } from 'jsrunner:k6/http/cookies';
import {
  asText, formOf, formValue, goShown, isNullish, isObject,
} from 'jsrunner:k6/http/values';

const SHORT = 2048; // characters: longer bodies cross beside the JSON
const CODINGS = ['gzip', 'deflate', 'zstd', 'br'];
const RESPONSE_TYPES = ['text', 'binary', 'none'];
const FORM = 'application/x-www-form-urlencoded';

const { now } = Date;
const { floor, random } = Math;
const cut = method(ArrayBuffer.prototype.slice);
const isWellFormed = method(String.prototype.isWellFormed);

/** What k6 refuses before it makes a request. */
export class Refusal {
  constructor(text) {
    this.text = text;
  }
}

// -- http.url, http.file, http.expectedStatuses ------------------------------------------------------

/** A URL made of a template: its name has `${}` in place of each value. */
export class TemplateURL {
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
    arguments.length > 1 ? asText(filename) : `${now()}000000`,
    arguments.length > 2 ? asText(contentType) : 'application/octet-stream',
  );
}

class ExpectedStatuses {
  #statuses;
  constructor(statuses) {
    this.#statuses = statuses;
  }
  static of(value) {
    return isObject(value) && #statuses in value ? value.#statuses : undefined;
  }
}
/** Statuses and [min, max], undefined for what http.expectedStatuses has not made. */
export const statusesOf = ExpectedStatuses.of;

export function expectedStatuses(...args) {
  if (args.length === 0) throw new GoError('no arguments');
  return new ExpectedStatuses(map(args, (argument, i) => {
    if (isNullish(argument)) throw new TypeError('Cannot convert undefined or null to object');
    if (isInteger(argument)) return argument;
    const range = Object(argument);
    if (!('min' in range && 'max' in range)) {
      throw new GoError(`argument number ${i + 1} to expectedStatuses was neither an integer nor an object like `
        + '{min:100, max:329}');
    }
    if (!isInteger(range.min) || !isInteger(range.max)) {
      throw new GoError(`both min and max need to be integers for argument number ${i + 1}`);
    }
    return [range.min, range.max];
  }));
}

// -- bodies --------------------------------------------------------------------------------------------

const bytesOf = (data) => {
  if (data instanceof ArrayBuffer) return data;
  return data.byteLength === data.buffer.byteLength
    ? data.buffer
    : cut(data.buffer, data.byteOffset, data.byteOffset + data.byteLength);
};

/** [kind, handle] of a text or bytes for Python. */
export const packData = (data) => (
  typeof data === 'string' ? ['text', packText(data)] : ['buffer', pack(bytesOf(data))]
);

const boundary = () => {
  let text = '';
  while (text.length < 60) text += '0123456789abcdef'[floor(random() * 16)];
  return text;
};

const partsOf = (fields) => map(sort(keys(fields)), (name) => {
  const value = fields[name];
  const isFile = value instanceof FileData;
  const data = packData(isFile ? value.data : formValue(value));
  return [name, isFile ? value.filename : null, isFile ? value.content_type : null, data[0], data[1]];
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
    return typeof data === 'string' && data.length <= SHORT && isWellFormed(data) ? data : packData(data);
  }
  text() {
    if (typeof this.data === 'string') return this.data;
    const text = unpack(host('http.body_text', this.cross()));
    release();
    return text;
  }
}

const hasFile = (fields) => {
  const values = valuesOf(fields);
  for (let i = 0; i < values.length; i += 1) if (values[i] instanceof FileData) return true;
  return false;
};

const bodyOf = (body) => {
  if (isNullish(body)) return null;
  if (typeof body === 'string' || isBytes(body)) return new Body(body);
  if (body instanceof FileData) throw new Refusal('unknown request body type *http.FileData');
  if (isView(body)) {
    const type = lower(replaceIn(body.constructor.name, /Clamped|Array|Big/g, ''));
    throw new Refusal(`unknown request body type []${type}`);
  }
  if (!isObject(body) || isArray(body)) throw new Refusal(`unknown request body type ${goType(body)}`);
  if (hasFile(body)) {
    const mark = boundary();
    return new Body(body, `multipart/form-data; boundary=${mark}`, mark);
  }
  return new Body(formOf(body), FORM);
};

// -- parameters ----------------------------------------------------------------------------------------

const headerRow = (headers) => {
  const row = [];
  const names = keys(Object(headers));
  for (let i = 0; i < names.length; i += 1) push(row, names[i], String(headers[names[i]]));
  return row;
};

const cookieRow = (name, cookie) => {
  if (!isObject(cookie)) return [name, String(cookie), false];
  const row = [name, '', false];
  const fields = keys(cookie);
  for (let i = 0; i < fields.length; i += 1) {
    const field = lower(fields[i]);
    if (field === 'value') row[1] = String(cookie[fields[i]]);
    else if (field === 'replace') row[2] = Boolean(cookie[fields[i]]);
  }
  return row;
};

const cookieRows = (cookies) => {
  const source = Object(cookies);
  const rows = [];
  const names = keys(source);
  for (let i = 0; i < names.length; i += 1) {
    const cookie = source[names[i]];
    if (!isNullish(cookie)) push(rows, cookieRow(names[i], cookie));
  }
  return rows;
};

const codingsOf = (value) => {
  const text = trim(String(value));
  return text === '' ? [] : map(splitAt(text, ','), (one) => {
    const coding = trim(one);
    if (!includes(CODINGS, coding)) {
      throw new Refusal(`unknown compression algorithm ${coding}, supported algorithms are [${join(CODINGS, ' ')}]`);
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

/** What params say, by the names of modules/k6/http/index.py; null for nothing. */
const readParams = (params, body, callback) => {
  let more = null;
  if (body?.type) more = { type: body.type };
  if (callback !== undefined) (more ??= {}).callback = callback;
  if (isNullish(params)) return more;
  const source = Object(params);
  const names = keys(source);
  for (let i = 0; i < names.length; i += 1) {
    const value = source[names[i]];
    switch (names[i]) {
      case 'headers':
        if (!isNullish(value)) (more ??= {}).headers = headerRow(value);
        break;
      case 'tags':
        if (!isNullish(value)) (more ??= {}).tags = tagsOf(value);
        break;
      case 'cookies':
        if (!isNullish(value)) (more ??= {}).cookies = cookieRows(value);
        break;
      case 'jar': {
        const jar = handleOf(value);
        if (jar !== undefined) (more ??= {}).jar = jar;
        break;
      }
      case 'compression': (more ??= {}).compression = codingsOf(value); break;
      case 'redirects': (more ??= {}).redirects = trunc(Number(value)) || 0; break;
      case 'auth': (more ??= {}).auth = String(value); break;
      case 'timeout': (more ??= {}).timeout = value ?? null; break;
      case 'throw': (more ??= {}).throw = Boolean(value); break;
      case 'responseType':
        if (!includes(RESPONSE_TYPES, String(value))) {
          throw new Refusal(`${value} does not belong to ResponseType values`);
        }
        (more ??= {}).responseType = String(value);
        break;
      case 'responseCallback': {
        const statuses = isNullish(value) ? null : statusesOf(value);
        if (statuses === undefined) throw new Refusal('unsupported responseCallback');
        (more ??= {}).callback = statuses;
        break;
      }
      default:
    }
  }
  return more;
};

/**
 * A request: what goes to Python, and the body that its response repeats. `callback` judges it if
 * params name none; undefined leaves that to k6's own.
 */
export const requestOf = (verb, address, body, params, callback) => {
  const known = typeof address === 'string' ? address : address instanceof TemplateURL ? address.url : null;
  if (known === null) throw new Refusal(`invalid URL: '#${goShown(address)}'`);
  const name = known !== address && address.name !== address.clean_url ? address.name : null;
  const sent = bodyOf(body);
  const more = readParams(params, sent, callback);
  return { spec: [verb, known, name, sent && sent.cross(), more], body: sent };
};
