// k6/crypto/x509: https://grafana.com/docs/k6/latest/javascript-api/k6-crypto/x509/
// @ts-check
import { copyOf, isBytes, bytesArgument } from 'jsrunner:bytes';
import { host } from 'jsrunner:host';
import { ArrayIsArray, String, TypeError, Uint8Array } from 'jsrunner:primordials';
import { isNullish } from 'jsrunner:values';

const refuse = (reason) => {
  throw new TypeError('could not convert function call parameter 0: ' + reason);
};

/** Convert a value that Go accepts as bytes: a buffer, a text or a list of numbers. */
const packed = (value) => {
  if (isNullish(value)) return bytesArgument('');
  if (typeof value === 'string') return bytesArgument(value);
  if (typeof value !== 'object' && typeof value !== 'function') {
    refuse('could not convert ' + String(value) + ' to []uint8');
  }
  if (isBytes(value)) return bytesArgument(copyOf(value));
  if (!ArrayIsArray(value)) refuse('cannot convert ' + String(value) + ' to []uint8: not an array or iterable');
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i += 1) bytes[i] = value[i];
  return bytesArgument(bytes);
};

const reader = (name) => (encoded) => {
  const found = host('crypto_x509.' + name, packed(encoded));
  return found;
};

export const parse = reader('parse');
export const getAltNames = reader('alt_names');
export const getIssuer = reader('issuer');
export const getSubject = reader('subject');

export default {
  getAltNames, getIssuer, getSubject, parse,
};
