// jsrunner:ws_params — the parameters of ws.connect and of new WebSocket.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { handleOf } from 'jsrunner:jars';
import { Object, ObjectKeys, String, StringPrototypeTrim } from 'jsrunner:primordials';
import { tagValues } from 'jsrunner:samples';

const headersOf = (headers) => {
  const found = { __proto__: null };
  if (headers === undefined || headers === null) return found;
  const source = Object(headers);
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i += 1) found[names[i]] = String(source[names[i]]);
  return found;
};

const NONE = {
  __proto__: null, headers: { __proto__: null }, tags: { __proto__: null }, jar: null, compression: false,
};

/**
 * Return the parameters as an object. `tagError` begins the error's text for a bad tag; `others(key)` is called for
 * unknown keys. With `mayBeEmpty`, an empty compression means none.
 */
export const wsParams = (params, { tagError, others = () => {}, mayBeEmpty = false }) => {
  if (params === undefined || params === null) return NONE;
  const found = {
    __proto__: null, headers: { __proto__: null }, tags: { __proto__: null }, jar: null, compression: false,
  };
  const source = Object(params); // of a text each character is an option
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i += 1) {
    const key = names[i];
    const value = source[key];
    if (key === 'headers') {
      found.headers = headersOf(value);
    } else if (key === 'tags') {
      if (value !== undefined && value !== null) tagValues(value, tagError, found.tags);
    } else if (key === 'jar') {
      found.jar = handleOf(value) ?? null;
    } else if (key === 'compression') {
      const algorithm = StringPrototypeTrim(String(value));
      if (algorithm === '' && mayBeEmpty) continue;
      if (algorithm !== 'deflate') {
        throw new GoError("unsupported compression algorithm '" + algorithm + "', supported algorithm is 'deflate'");
      }
      found.compression = true;
    } else {
      others(key);
    }
  }
  return found;
};
