// jsrunner:k6/http/request — the URL, body and parameters of a request, from a script's arguments.
// @ts-check
import { copyOf } from 'jsrunner:bytes';
import { GoError } from 'jsrunner:errors';
import { goType } from 'jsrunner:go_types';
import { host } from 'jsrunner:host';
import { handleOf } from 'jsrunner:jars';
import { formOf, formValue, goShown } from 'jsrunner:k6/http/values';
import {
  MathFloor, NumberIsInteger, StringPrototypeToLowerCase, StringPrototypeToWellFormed,
} from 'jsrunner:more_primordials';
import {
  ArrayBuffer, ArrayIsArray, ArrayPrototypeIncludes, ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSort, Boolean,
  DateNow, MathRandom, MathTrunc, Number, NumberIsFinite, Object, ObjectKeys, SafeArray, String, StringPrototypeSplit,
  StringPrototypeTrim, TypeError, isInstance,
} from 'jsrunner:primordials';
import { tagValues } from 'jsrunner:samples';
import { asText, isNullish, isObject } from 'jsrunner:values';

const CODINGS = ['gzip', 'deflate', 'zstd', 'br'];
const RESPONSE_TYPES = ['text', 'binary', 'none'];
const FORM = 'application/x-www-form-urlencoded';

/** The error for arguments that k6 refuses before it makes a request. */
export class Refusal {
  text;
  constructor(text) {
    this.text = text;
  }
}

// -- http.url, http.file, http.expectedStatuses ------------------------------------------------------

/** A URL made by http.url from a template. Its name has `${}` in place of each value. */
export class TemplateURL {
  name;
  url;
  clean_url;
  constructor(name, address) {
    this.name = name;
    this.url = address;
    this.clean_url = host('http.clean_url', address);
    if (name === address) this.name = this.clean_url;
  }
}

export function url(parts, ...pieces) {
  if (!ArrayIsArray(parts)) {
    throw new TypeError('could not convert function call parameter 0: could not convert ' + asText(parts)
      + ' to []string');
  }
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
  data;
  filename;
  content_type;
  constructor(data, filename, contentType) {
    this.data = data;
    this.filename = filename;
    this.content_type = contentType;
  }
}

export function file(data, filename, contentType) {
  if (typeof data !== 'string' && !isInstance(ArrayBuffer, data)) {
    throw new GoError('invalid type ' + goType(data) + ', expected string or ArrayBuffer');
  }
  return new FileData(
    data,
    arguments.length > 1 ? asText(filename) : DateNow() + '000000',
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
/** Return the statuses and [min, max] of an ExpectedStatuses, undefined for any other value. */
export const statusesOf = ExpectedStatuses.of;

export function expectedStatuses(...args) {
  if (args.length === 0) throw new GoError('no arguments');
  return new ExpectedStatuses(ArrayPrototypeMap(args, (argument, i) => {
    if (isNullish(argument)) throw new TypeError('Cannot convert undefined or null to object');
    if (NumberIsInteger(argument)) return argument;
    const range = Object(argument);
    if (!('min' in range && 'max' in range)) {
      throw new GoError('argument number ' + (i + 1) + ' to expectedStatuses was neither an integer nor an object like '
        + '{min:100, max:329}');
    }
    if (!NumberIsInteger(range.min) || !NumberIsInteger(range.max)) {
      throw new GoError('both min and max need to be integers for argument number ' + (i + 1));
    }
    return [range.min, range.max];
  }));
}

// -- bodies --------------------------------------------------------------------------------------------

/** Return a text, or the ArrayBuffer of bytes. */
export const textOrBuffer = (data) => (
  typeof data === 'string' || isInstance(ArrayBuffer, data) ? data : copyOf(data)
);

const boundary = () => {
  let text = '';
  while (text.length < 60) text += '0123456789abcdef'[MathFloor(MathRandom() * 16)];
  return text;
};

const partsOf = (fields) => ArrayPrototypeMap(ArrayPrototypeSort(ObjectKeys(fields)), (name) => {
  const value = fields[name];
  const isFile = isInstance(FileData, value);
  const data = textOrBuffer(isFile ? value.data : formValue(value));
  return [name, isFile ? value.filename : null, isFile ? value.content_type : null, data];
});

/** The body of a request. `cross()` returns its form for Python, `text()` its form for response.request.body. */
class Body {
  data;
  type;
  mark;
  constructor(data, type, mark) {
    this.data = data;
    this.type = type; // Content-Type, if the body brings one
    this.mark = mark; // the boundary of multipart/form-data
  }
  cross() {
    const { data, mark } = this;
    return mark ? [mark, partsOf(data)] : textOrBuffer(data);
  }
  text() {
    if (typeof this.data === 'string') return this.data;
    return host('http.body_text', this.cross());
  }
}

const hasFile = (fields) => {
  const names = ObjectKeys(fields);
  for (let i = 0; i < names.length; i += 1) if (isInstance(FileData, fields[names[i]])) return true;
  return false;
};

const bodyOf = (body) => {
  switch (goType(body)) {
    case '<nil>': return null;
    case 'string': return new Body(goShown(body));
    case 'sobek.ArrayBuffer': case '[]uint8': return new Body(body);
    case 'map[string]interface {}': break;
    default: throw new Refusal('unknown request body type ' + goType(body));
  }
  if (isInstance(FileData, body)) throw new Refusal('unknown request body type *http.FileData');
  if (isInstance(TemplateURL, body)) throw new Refusal('unknown request body type httpext.URL');
  if (hasFile(body)) {
    const mark = boundary();
    return new Body(body, 'multipart/form-data; boundary=' + mark, mark);
  }
  return new Body(formOf(body), FORM);
};

// -- parameters ----------------------------------------------------------------------------------------

const headerRow = (headers) => {
  const row = SafeArray();
  const names = ObjectKeys(Object(headers));
  for (let i = 0; i < names.length; i += 1) {
    ArrayPrototypePush(row, names[i]);
    ArrayPrototypePush(row, String(headers[names[i]]));
  }
  return row;
};

const cookieRow = (name, cookie) => {
  if (!isObject(cookie)) return [name, String(cookie), false];
  const row = [name, '', false];
  const fields = ObjectKeys(cookie);
  for (let i = 0; i < fields.length; i += 1) {
    const field = StringPrototypeToLowerCase(fields[i]);
    if (field === 'value') row[1] = String(cookie[fields[i]]);
    else if (field === 'replace') row[2] = Boolean(cookie[fields[i]]);
  }
  return row;
};

const cookieRows = (cookies) => {
  const source = Object(cookies);
  const rows = SafeArray();
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i += 1) {
    const cookie = source[names[i]];
    if (!isNullish(cookie)) ArrayPrototypePush(rows, cookieRow(names[i], cookie));
  }
  return rows;
};

const codingsOf = (value) => {
  const text = StringPrototypeTrim(String(value));
  return text === '' ? SafeArray() : ArrayPrototypeMap(StringPrototypeSplit(text, ','), (one) => {
    const coding = StringPrototypeTrim(one);
    if (!ArrayPrototypeIncludes(CODINGS, coding)) {
      throw new Refusal('unknown compression algorithm ' + coding + ', supported algorithms are [gzip deflate zstd br]');
    }
    return coding;
  });
};

const tagsOf = (value) => {
  try {
    return tagValues(value, 'invalid HTTP request metric tags: ');
  } catch (error) {
    throw isInstance(GoError, error) ? new Refusal(error.message) : error;
  }
};

/** Return a timeout as milliseconds or as a duration's text. A number that is not finite becomes an immediate timeout. */
const timeoutOf = (value) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return NumberIsFinite(value) ? value : -1;
  throw new Refusal('invalid timeout value: unable to use type ' + goType(value) + ' as a duration value');
};

/** Return the params by the names of modules/k6/http/index.py; null without any. */
const readParams = (params, body, callback) => {
  let more = null;
  if (body?.type) more = { __proto__: null, type: body.type };
  if (callback !== undefined) (more ??= { __proto__: null }).callback = callback;
  if (isNullish(params)) return more;
  const source = Object(params);
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i += 1) {
    const value = source[names[i]];
    switch (names[i]) {
      case 'headers':
        if (!isNullish(value)) (more ??= { __proto__: null }).headers = headerRow(value);
        break;
      case 'tags':
        if (!isNullish(value)) (more ??= { __proto__: null }).tags = tagsOf(value);
        break;
      case 'cookies':
        if (!isNullish(value)) (more ??= { __proto__: null }).cookies = cookieRows(value);
        break;
      case 'jar': {
        const jar = handleOf(value);
        if (jar !== undefined) (more ??= { __proto__: null }).jar = jar;
        break;
      }
      case 'compression': (more ??= { __proto__: null }).compression = codingsOf(value); break;
      case 'redirects': (more ??= { __proto__: null }).redirects = MathTrunc(Number(value)) || 0; break;
      case 'auth': (more ??= { __proto__: null }).auth = String(value); break;
      case 'timeout': (more ??= { __proto__: null }).timeout = timeoutOf(value); break;
      case 'throw': (more ??= { __proto__: null }).throw = Boolean(value); break;
      case 'responseType':
        if (!ArrayPrototypeIncludes(RESPONSE_TYPES, String(value))) {
          throw new Refusal(String(value) + ' does not belong to ResponseType values');
        }
        (more ??= { __proto__: null }).responseType = String(value);
        break;
      case 'responseCallback': {
        const statuses = isNullish(value) ? null : statusesOf(value);
        if (statuses === undefined) throw new Refusal('unsupported responseCallback');
        (more ??= { __proto__: null }).callback = statuses;
        break;
      }
      default:
    }
  }
  return more;
};

/**
 * Return a request: its arguments for Python, and the body for response.request. `callback` judges the status if params
 * name no callback; undefined stands for k6's default.
 */
export const requestOf = (verb, address, body, params, callback) => {
  const isText = typeof address === 'string';
  const known = isText ? StringPrototypeToWellFormed(address) : isInstance(TemplateURL, address) ? asText(address.url) : null;
  if (known === null) throw new Refusal("invalid URL: '#" + goShown(address) + "'");
  const name = !isText && address.name !== address.clean_url ? asText(address.name) : null;
  const sent = bodyOf(body);
  const more = readParams(params, sent, callback);
  return { spec: [verb, known, name, more, sent && sent.cross()], body: sent };
};
