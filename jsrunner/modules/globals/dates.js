// Date.prototype.toString and toTimeString. In k6 their texts end with the name of the time zone.
// @ts-check
import { host } from 'jsrunner:host';
import { Date, Map } from 'jsrunner:more_primordials';
import { NumberIsNaN, String, uncurryThis } from 'jsrunner:primordials';
import { defineMethods } from 'jsrunner:values';

const { prototype } = Date;
const time = uncurryThis(prototype.getTime);
const offset = uncurryThis(prototype.getTimezoneOffset);
const dateText = uncurryThis(prototype.toString);
const timeText = uncurryThis(prototype.toTimeString);

/** Offset from UTC in minutes -> abbreviation of the time zone, which depends on the offset (EST, EDT). */
const zones = new Map();
const zoneAt = uncurryThis(Map.prototype.get);
const setZone = uncurryThis(Map.prototype.set);

const withZone = (text, date) => {
  const minutes = offset(date);
  if (NumberIsNaN(minutes)) return text;
  let zone = zoneAt(zones, minutes);
  if (zone === undefined) {
    zone = host('environment.zone', time(date));
    setZone(zones, minutes, zone);
  }
  return zone === '' ? text : text + ' (' + String(zone) + ')';
};

const methods = {
  toString() {
    return withZone(dateText(this), this);
  },
  toTimeString() {
    return withZone(timeText(this), this);
  },
};
defineMethods(prototype, methods);
