// k6/metrics: https://grafana.com/docs/k6/latest/javascript-api/k6-metrics/
// @ts-check
import {
  GoError, String, context, defineProperty, emit, host, isNaN, part, tagValues, upper,
} from 'jsrunner:host';

const shorten = (text) => (text.length <= 100 ? text
  : `${part(text, 0, 50)}... omitting ${text.length - 100} characters ...${part(text, -50)}`);

/** What Go's ToString-like rendering shows of a value that is no number. */
const shown = (value) => shorten(String(value));

function declare(type) {
  const construct = function (name, isTime) { // eslint-disable-line func-names
    if (!context.inInit) throw new GoError('metrics must be declared in the init context');
    name = name === undefined || name === null ? '' : String(name);
    host('metrics.declare', name, type, isTime === true ? 'time' : 'default');

    const refuse = (text) => {
      if (host('metrics.refuse', text)) throw new GoError(text);
      return false;
    };
    const add = (value, tags) => {
      if (context.inInit) throw new GoError('Adding to metrics in the init context is not supported');
      if (value === undefined || value === null) {
        return refuse(`'${value}' is an invalid value for metric '${name}', a number or a boolean `
          + 'value is expected');
      }
      let number = +value;
      if (number === 0 && value) number = 1; // '0', [] and the like: true, as k6 sees it
      if (isNaN(number)) {
        return refuse(`'${shown(value)}' is an invalid value for metric '${name}', `
          + 'a number or a boolean value is expected');
      }
      if (tags === undefined || tags === null) emit(name, number);
      else emit(name, number, tagValues(tags, `cannot add tags for the '${name}' custom metric: `));
      return true;
    };
    const metric = {};
    defineProperty(metric, 'name', { __proto__: null, value: name, enumerable: true });
    metric.add = function (...args) { // eslint-disable-line func-names
      if (args.length === 0) {
        if (context.inInit) throw new GoError('Adding to metrics in the init context is not supported');
        return refuse(`no value was provided for metric '${name}', a number or a boolean value is expected`);
      }
      return add(args[0], args[1]);
    };
    return metric;
  };
  defineProperty(construct, 'name', { value: upper(type[0]) + part(type, 1) });
  return construct;
}

export const Counter = declare('counter');
export const Gauge = declare('gauge');
export const Rate = declare('rate');
export const Trend = declare('trend');

export default { Counter, Gauge, Rate, Trend };
