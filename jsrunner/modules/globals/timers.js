// setTimeout and its kin, as globals and as k6/timers.
// @ts-check
import { GoError, mustBeCallable } from 'jsrunner:host';
import { addTimer, removeTimer } from 'jsrunner:loop';

const scheduler = (name, repeats) => (callback, delay, ...args) => {
  if (callback === undefined || callback === null) {
    throw new GoError(`${name}'s callback isn't a callable function`);
  }
  mustBeCallable(callback, 0);
  const time = Math.max(Number(delay) || 0, 0);
  return addTimer(() => Reflect.apply(callback, globalThis, args), time, repeats ? time : -1, name);
};

export const setTimeout = scheduler('setTimeout', false);
export const setInterval = scheduler('setInterval', true);
export const clearTimeout = (id) => removeTimer(Number(id));
export const clearInterval = (id) => removeTimer(Number(id));

for (const [name, value] of Object.entries({
  setTimeout, setInterval, clearTimeout, clearInterval,
})) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}
