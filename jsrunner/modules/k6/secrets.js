// k6/secrets: https://grafana.com/docs/k6/latest/javascript-api/k6-secrets/
// @ts-check
import { host } from 'jsrunner:host';
import { aside, promised } from 'jsrunner:loop';

const text = (value) => (value === undefined || value === null ? '' : String(value));

/** Sources that wait for somebody give a handle instead of a value. */
const get = (source, key) => promised(() => {
  const [value, waits] = host('secrets.get', source, text(key));
  return waits ? aside('secrets.fetch', source, text(key)) : value;
});

export default {
  get: (key) => get('default', key),
  source: (name) => ({ get: (key) => get(text(name), key) }),
};
