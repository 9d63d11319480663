// jsrunner:samples — samples wait here until control leaves for Python anyway, and so does what other modules send.
// @ts-check
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import {
  ArrayPrototypePush, Boolean, DateNow, Number, NumberIsFinite, Object, ObjectKeys, SafeArray, String,
  SymbolPrototypeGetDescription, isInstance, performanceNow,
} from 'jsrunner:primordials';

const origin = DateNow() - performanceNow();
/** The clock of samples and timers: milliseconds since the epoch, with fractions. */
export const now = () => origin + performanceNow();

/** [metric, value, time, tags] each. */
let samples = SafeArray();
const flushers = SafeArray();

/** Have `send()` called before control leaves for longer than a moment. */
export const onFlush = (send) => ArrayPrototypePush(flushers, send);

export function flushSamples() {
  if (samples.length === 0) return;
  const taken = samples;
  samples = SafeArray();
  host('$emit', taken);
}

/** Record a sample; `tags` are beside those of the VU. */
export function emit(metric, value, tags) {
  // JSON has no words for numbers that are not finite.
  samples[samples.length] = [metric, NumberIsFinite(value) ? value : String(value), now(), tags];
  if (samples.length >= 64) flushSamples();
}

/** Send all that waits. */
export function flush() {
  flushSamples();
  for (let i = 0; i < flushers.length; i += 1) {
    const send = flushers[i];
    send();
  }
}

/** The text of a tag's value if k6 takes its type (and it takes some that its message does not name). */
export const tagText = (value) => {
  const type = typeof value;
  if (type === 'string' || type === 'number' || type === 'boolean') return String(value);
  if (type === 'symbol') return SymbolPrototypeGetDescription(value) ?? '';
  return isInstance(Number, value) || isInstance(Boolean, value) ? String(value) : undefined;
};

/** Tags as k6 takes them; `prefix` begins the error's text. */
export function tagValues(tags, prefix, known = { __proto__: null }) {
  const names = ObjectKeys(Object(tags));
  for (let i = 0; i < names.length; i += 1) {
    const key = names[i];
    const text = tagText(tags[key]);
    if (text === undefined) {
      throw new GoError(prefix + "invalid value for metric tag '" + key + "': only String, Boolean and "
        + 'Number types are accepted as a metric tag values');
    }
    known[key] = text;
  }
  return known;
}
