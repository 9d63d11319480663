// jsrunner:k6/http/cookies — the cookie jars of k6/http. Python holds the jars; each object has a jar's number.
// @ts-check
import { context } from 'jsrunner:context';
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import { keepHandle } from 'jsrunner:jars';
import {
  FinalizationRegistry, FinalizationRegistryPrototypeRegister, StringPrototypeToLowerCase,
} from 'jsrunner:more_primordials';
import { Boolean, MathTrunc, Number, Object, ObjectKeys, String } from 'jsrunner:primordials';
import { asText, isNullish } from 'jsrunner:values';

const jars = new FinalizationRegistry((handle) => host('k6_http_cookies.drop', handle));

/** Return the known options of `jar.set`, converted to the types of `SetCookie` in Python. */
const jarOptions = (options) => {
  const known = { __proto__: null };
  if (isNullish(options)) return known;
  const source = Object(options);
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i += 1) {
    const value = source[names[i]];
    switch (StringPrototypeToLowerCase(names[i])) {
      case 'path': known.path = String(value); break;
      case 'domain': known.domain = String(value); break;
      case 'expires': known.expires = String(value); break;
      case 'max_age': known.max_age = MathTrunc(Number(value)) || 0; break;
      case 'secure': known.secure = Boolean(value); break;
      case 'http_only': known.http_only = Boolean(value); break;
      default:
    }
  }
  return known;
};

class Jar {
  clear;
  cookiesForURL;
  delete;
  set;
  constructor(handle) {
    keepHandle(this, handle);
    FinalizationRegistryPrototypeRegister(jars, this, handle);
    this.clear = (address) => host('k6_http_cookies.clear', handle, asText(address));
    this.cookiesForURL = (address) => host('k6_http_cookies.pairs', handle, asText(address));
    this.delete = (address, name) => {
      if (asText(name) === '') throw new GoError('cookie: is null');
      host('k6_http_cookies.delete', handle, asText(address), asText(name));
    };
    this.set = (address, name, value, options) => host(
      'k6_http_cookies.set', handle, asText(address), asText(name), asText(value), jarOptions(options),
    );
  }
}

export function CookieJar() {
  return new Jar(host('k6_http_cookies.new'));
}

export function cookieJar() {
  if (context.inInit) throw new GoError('Making cookie jars in the init context is not supported');
  return new Jar(host('k6_http_cookies.current'));
}
