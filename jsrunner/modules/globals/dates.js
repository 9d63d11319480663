// Date.prototype.toString and toTimeString. In k6 their texts end with the name of the time zone.
// @ts-check
import { Map } from 'jsrunner:collections';
import { builtin, uncurried } from 'jsrunner:core';
import { host } from 'jsrunner:host';
import { defineMethods } from 'jsrunner:objects';
import { String, constructors } from 'jsrunner:primordials';

const { Date } = constructors;
const NumberIsNaN = builtin('Number.isNaN');

const { prototype } = Date;
const time = uncurried('Date.prototype.getTime');
const offset = uncurried('Date.prototype.getTimezoneOffset');
const dateText = uncurried('Date.prototype.toString');
const timeText = uncurried('Date.prototype.toTimeString');

/** Offset from UTC in minutes -> abbreviation of the time zone, which depends on the offset (EST, EDT). */
const zones = new Map();
const zoneAt = uncurried('Map.prototype.get');
const setZone = uncurried('Map.prototype.set');

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
