// k6/encoding: https://grafana.com/docs/k6/latest/javascript-api/k6-encoding/
// @ts-check
import { bytesArgument } from 'jsrunner:bytes';
import { host } from 'jsrunner:host';
import { String } from 'jsrunner:primordials';
import { asText } from 'jsrunner:values';

export function b64encode(input, variant) {
  const text = host('encoding.encode', bytesArgument(input, 'invalid type'), String(variant));
  return text;
}

export function b64decode(input, variant, format) {
  return host('encoding.decode', asText(input), String(variant), asText(format) === 's');
}

export default { b64decode, b64encode };
