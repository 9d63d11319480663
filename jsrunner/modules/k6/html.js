// k6/html: https://grafana.com/docs/k6/latest/javascript-api/k6-html/
// @ts-check
import { parse } from 'jsrunner:html/selection';

export const parseHTML = (source) => parse(source === undefined || source === null ? '' : String(source));

export default { parseHTML };
