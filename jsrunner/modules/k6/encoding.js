// k6/encoding: https://grafana.com/docs/k6/latest/javascript-api/k6-encoding/
// @ts-check
import { String, host, release, unpack } from 'jsrunner:host';
import { packInput } from 'jsrunner:bytes';

export function b64encode(input, variant) {
  const text = host('encoding.encode', packInput(input, 'invalid type'), String(variant));
  release();
  return text;
}

export function b64decode(input, variant, format) {
  return unpack(host('encoding.decode', input === undefined || input === null ? '' : String(input),
    String(variant), format === 's'));
}

export default { b64decode, b64encode };
