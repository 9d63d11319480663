// jsrunner:k6/http/cookies — cookie jars, which are Python's; a script has a handle to each.
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

const jars = new FinalizationRegistry((handle) => host('http.drop_jar', handle));

const jarOptions = (options) => {
  const given = { __proto__: null };
  if (isNullish(options)) return given;
  const source = Object(options);
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i += 1) {
    const value = source[names[i]];
    switch (StringPrototypeToLowerCase(names[i])) {
      case 'path': given.path = String(value); break;
      case 'domain': given.domain = String(value); break;
      case 'expires': given.expires = String(value); break;
      case 'max_age': given.max_age = MathTrunc(Number(value)) || 0; break;
      case 'secure': given.secure = Boolean(value); break;
      case 'http_only': given.http_only = Boolean(value); break;
      default:
    }
  }
  return given;
};

class Jar {
  clear;
  cookiesForURL;
  delete;
  set;
  constructor(handle) {
    keepHandle(this, handle);
    FinalizationRegistryPrototypeRegister(jars, this, handle);
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
}

export function CookieJar() {
  return new Jar(host('http.new_jar'));
}

export function cookieJar() {
  if (context.inInit) throw new GoError('Making cookie jars in the init context is not supported');
  return new Jar(host('http.current_jar'));
}
