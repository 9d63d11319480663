// k6/html: https://grafana.com/docs/k6/latest/javascript-api/k6-html/
// @ts-check
import { parse } from 'jsrunner:html/selection';
import { asText } from 'jsrunner:values';

export const parseHTML = (source) => parse(asText(source));

export default { parseHTML };
