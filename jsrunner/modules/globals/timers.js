// setTimeout and its kin, as globals and as k6/timers.
// @ts-check
import { bindContext } from 'jsrunner:core';
import { GoError, mustBeCallable } from 'jsrunner:errors';
import {
  INTERVAL, TIMEOUT, addTimer, removeTimer,
} from 'jsrunner:loop';
import { Number, ReflectApply, globalThis } from 'jsrunner:primordials';
import { asNumber, isNullish } from 'jsrunner:values';

/** Maximum delay in milliseconds. k6 holds delays in 64 bits of nanoseconds and treats longer delays as 0. */
const LONGEST = 9.2e12;

const scheduler = (name, kind) => (callback, delay, ...args) => {
  if (isNullish(callback)) throw new GoError(name + "'s callback isn't a callable function");
  mustBeCallable(callback, 0);
  const number = asNumber(delay);
  const time = number > 0 && number < LONGEST ? number : 0;
  // Without arguments no closure is made, because it would take more memory than the rest of the timer.
  const call = args.length === 0 ? callback : () => ReflectApply(callback, globalThis, args);
  return addTimer(bindContext(call), time, kind === INTERVAL ? time : -1, kind);
};

export const setTimeout = scheduler('setTimeout', TIMEOUT);
export const setInterval = scheduler('setInterval', INTERVAL);
export const clearTimeout = (id) => removeTimer(Number(id));
export const clearInterval = clearTimeout;
