// k6/metrics: https://grafana.com/docs/k6/latest/javascript-api/k6-metrics/
// @ts-check
import { context } from 'jsrunner:context';
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import {
  NumberIsNaN, ObjectDefineProperty, String, StringPrototypeSlice, StringPrototypeToUpperCase,
} from 'jsrunner:primordials';
import { emit, tagValues } from 'jsrunner:samples';
import { asText, setOwn } from 'jsrunner:values';

const shorten = (text) => (text.length <= 100 ? text
  : StringPrototypeSlice(text, 0, 50) + '... omitting ' + (text.length - 100) + ' characters ...' + StringPrototypeSlice(text, -50));

/** Return a value that is no number as k6 shows it in an error message. */
const shown = (value) => shorten(String(value));

function declare(type) {
  const construct = function (name, isTime) { // eslint-disable-line func-names
    if (!context.inInit) throw new GoError('metrics must be declared in the init context');
    name = asText(name);
    const number = host('metrics.declare', name, type, isTime === true ? 'time' : 'default');

    const refuse = (text) => {
      if (host('metrics.refuse', text)) throw new GoError(text);
      return false;
    };
    const add = (value, tags) => {
      if (context.inInit) throw new GoError('Adding to metrics in the init context is not supported');
      if (value === undefined || value === null) {
        return refuse("'" + String(value) + "' is an invalid value for metric '" + name + "', a number or a boolean "
          + 'value is expected');
      }
      let sample = +value;
      if (sample === 0 && value) sample = 1; // k6 counts truthy values such as '0' and [] as true
      if (NumberIsNaN(sample)) {
        return refuse("'" + shown(value) + "' is an invalid value for metric '" + name + "', "
          + 'a number or a boolean value is expected');
      }
      if (tags === undefined || tags === null) emit(number, sample);
      else emit(number, sample, tagValues(tags, "cannot add tags for the '" + name + "' custom metric: "));
      return true;
    };
    const record = function (...args) { // eslint-disable-line func-names
      if (args.length === 0) {
        if (context.inInit) throw new GoError('Adding to metrics in the init context is not supported');
        return refuse("no value was provided for metric '" + name + "', a number or a boolean value is expected");
      }
      return add(args[0], args[1]);
    };
    const metric = ObjectDefineProperty({}, 'name', { __proto__: null, value: name, enumerable: true });
    return setOwn(metric, 'add', record);
  };
  ObjectDefineProperty(construct, 'name', { __proto__: null, value: StringPrototypeToUpperCase(type[0]) + StringPrototypeSlice(type, 1) });
  return construct;
}

export const Counter = declare('counter');
export const Gauge = declare('gauge');
export const Rate = declare('rate');
export const Trend = declare('trend');

export default { Counter, Gauge, Rate, Trend };
