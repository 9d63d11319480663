// k6/crypto/x509: https://grafana.com/docs/k6/latest/javascript-api/k6-crypto/x509/
// @ts-check
import { packInput } from 'jsrunner:bytes';
import { host, release } from 'jsrunner:host';

const reader = (name) => (encoded) => {
  const found = host('crypto_x509.' + name, packInput(encoded, 'invalid type'));
  release();
  return found;
};

export const parse = reader('parse');
export const getAltNames = reader('alt_names');
export const getIssuer = reader('issuer');
export const getSubject = reader('subject');

export default {
  getAltNames, getIssuer, getSubject, parse,
};
