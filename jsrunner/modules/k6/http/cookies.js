// jsrunner:k6/http/cookies — cookie jars, which are Python's; a script has a handle to each.
// @ts-check
import {
  Boolean, FinalizationRegistry, GoError, Number, Object, String, context, host, keys, lower, method, trunc,
} from 'jsrunner:host';
import { asText, isNullish, isObject } from 'jsrunner:k6/http/values';

const jars = new FinalizationRegistry((handle) => host('http.drop_jar', handle));
const register = method(FinalizationRegistry.prototype.register);

const jarOptions = (options) => {
  const given = {};
  if (isNullish(options)) return given;
  const source = Object(options);
  const names = keys(source);
  for (let i = 0; i < names.length; i += 1) {
    const value = source[names[i]];
    switch (lower(names[i])) {
      case 'path': given.path = String(value); break;
      case 'domain': given.domain = String(value); break;
      case 'expires': given.expires = String(value); break;
      case 'max_age': given.max_age = trunc(Number(value)) || 0; break;
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
    register(jars, this, handle);
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

/** The handle of a jar, undefined for what is none. */
export const { handleOf } = Jar;

export function CookieJar() {
  return new Jar(host('http.new_jar'));
}

export function cookieJar() {
  if (context.inInit) throw new GoError('Making cookie jars in the init context is not supported');
  return new Jar(host('http.current_jar'));
}
