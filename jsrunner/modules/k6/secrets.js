// k6/secrets: https://grafana.com/docs/k6/latest/javascript-api/k6-secrets/
// @ts-check
import { host } from 'jsrunner:host';
import { aside, promised } from 'jsrunner:loop';
import { asText } from 'jsrunner:values';

/** Return a promise of a secret. A source that waits for a server returns a handle instead of the value. */
const get = (source, key) => promised(() => {
  const found = host('secrets.get', source, asText(key));
  return found[1] ? aside('secrets.fetch', source, asText(key)) : found[0];
});

export default {
  get: (key) => get('default', key),
  source: (name) => ({ get: (key) => get(asText(name), key) }),
};
