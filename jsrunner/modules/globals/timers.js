// setTimeout and its kin, as globals and as k6/timers.
// @ts-check
import { GoError, mustBeCallable } from 'jsrunner:errors';
import { defineGlobal } from 'jsrunner:language';
import { addTimer, removeTimer } from 'jsrunner:loop';
import { Number, ReflectApply, globalThis } from 'jsrunner:primordials';

/** Go counts a delay in nanoseconds: what does not fit is none. */
const LONGEST = 9.2e12;

const scheduler = (name, repeats) => (callback, delay, ...args) => {
  if (callback === undefined || callback === null) {
    throw new GoError(name + "'s callback isn't a callable function");
  }
  mustBeCallable(callback, 0);
  const number = Number(delay);
  const time = number > 0 && number < LONGEST ? number : 0;
  return addTimer(() => ReflectApply(callback, globalThis, args), time, repeats ? time : -1, name);
};

export const setTimeout = scheduler('setTimeout', false);
export const setInterval = scheduler('setInterval', true);
export const clearTimeout = (id) => removeTimer(Number(id));
export const clearInterval = (id) => removeTimer(Number(id));

defineGlobal('setTimeout', setTimeout);
defineGlobal('setInterval', setInterval);
defineGlobal('clearTimeout', clearTimeout);
defineGlobal('clearInterval', clearInterval);
