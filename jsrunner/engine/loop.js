// jsrunner:loop — one VU's event loop, which is the core's (core/tasks.c), as our modules use it.
// @ts-check
import {
  abandon as dropAll, addTimer as schedule, drainJobs, dropTimers, forget, hasWork, host, listen, queueTask, removeTimer,
  settle,
} from 'jsrunner:core';
import { GoError, GoValue } from 'jsrunner:errors';
import {
  ArrayPrototypePush, Promise, PromisePrototypeThen, ReflectApply, SafeArray, isInstance,
} from 'jsrunner:primordials';

export {
  drainJobs, forget, hasWork, listen, queueTask, removeTimer, settle,
};

/** Kinds of timers; the log names the first two when an iteration is interrupted. */
export const TIMEOUT = 0;
export const INTERVAL = 1;
export const OWN = 2;

/** Call 'call' after 'delay' milliseconds, then each 'every' milliseconds if 'every' is not negative. */
export const addTimer = schedule;

const reason = (error) => (isInstance(GoError, error) ? error.value : error);

/**
 * A promise of what 'work()' returns (perhaps a promise) or throws, settled by a task of its own, as
 * k6 settles the promises of what it does aside. Of a GoError the value is the reason.
 */
export const promised = (work) => new Promise((resolve, reject) => {
  try {
    const value = work();
    if (isInstance(Promise, value)) PromisePrototypeThen(value, resolve, (error) => reject(reason(error)));
    else queueTask(() => resolve(value));
  } catch (error) {
    queueTask(() => reject(reason(error)));
  }
});

/** Return a promise of the result of an operation in a thread; the operation returns a handle of 'run_aside'. */
export const aside = (...opAndArgs) => new Promise((resolve, reject) => {
  const handle = ReflectApply(host, undefined, opAndArgs);
  listen(handle, (outcome) => { // [[text, fields] of the failure or null, value]
    forget(handle);
    if (outcome[0]) reject(new GoValue(outcome[0][0], outcome[0][1]));
    else resolve(outcome[1]);
  });
});

const closings = SafeArray();
/** Call `close(isRejection)` when the iteration or stage fails; it waits for closings that this begins. */
export const onFailure = (close) => ArrayPrototypePush(closings, close);

/** End a failed iteration or stage: drop its timers, close its sockets with events. Returns the timers' names. */
export const abandon = (isRejection) => {
  const timers = dropTimers();
  let goOn = () => {
    for (let i = 0; i < closings.length; i += 1) {
      const close = closings[i];
      close(isRejection);
    }
    settle(() => {});
  };
  do {
    try {
      goOn();
    } catch {
      // only the first failure is reported
    }
    dropAll(true);
    goOn = () => settle(() => {});
  } while (hasWork());
  dropAll();
  return timers;
};
