// Date.prototype.toString and toTimeString: k6's end in the name of the time zone.
// @ts-check
import { Date, Map, defineProperty, forEach, host, isNaN, keys, method } from 'jsrunner:host';

const { prototype } = Date;
const time = method(prototype.getTime);
const offset = method(prototype.getTimezoneOffset);
const dateText = method(prototype.toString);
const timeText = method(prototype.toTimeString);

/** Offset from UTC in minutes -> abbreviation of the zone, which changes with it (EST, EDT). */
const zones = new Map();
const zoneAt = method(Map.prototype.get);
const setZone = method(Map.prototype.set);

const withZone = (text, date) => {
  const minutes = offset(date);
  if (isNaN(minutes)) return text;
  let zone = zoneAt(zones, minutes);
  if (zone === undefined) {
    zone = host('environment.zone', time(date));
    setZone(zones, minutes, zone);
  }
  return zone === '' ? text : `${text} (${zone})`;
};

const methods = {
  toString() {
    return withZone(dateText(this), this);
  },
  toTimeString() {
    return withZone(timeText(this), this);
  },
};
forEach(keys(methods), (name) => defineProperty(prototype, name, {
  __proto__: null, value: methods[name], writable: true, configurable: true,
}));
