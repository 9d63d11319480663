// jsrunner:loop — the VU's event loop (core/tasks.c) for jsrunner's modules.
// @ts-check
import {
  abandon as dropAll, addTimer as schedule, drainJobs, dropTimers, forget, hasWork, host, isWindingDown, listen, queueTask,
  removeTimer, settle,
} from 'jsrunner:core';
import { GoError, GoValue } from 'jsrunner:errors';
import {
  ArrayPrototypePush, Promise, PromisePrototypeThen, ReflectApply, SafeArray, isInstance,
} from 'jsrunner:primordials';

export {
  drainJobs, forget, hasWork, isWindingDown, listen, queueTask, removeTimer, settle,
};

/** Kinds of timers. When an iteration is interrupted, the log names timers of the first two kinds. */
export const TIMEOUT = 0;
export const INTERVAL = 1;
export const OWN = 2;

/** Call 'call' after 'delay' milliseconds, then each 'every' milliseconds if 'every' is not negative. */
export const addTimer = schedule;

const reason = (error) => (isInstance(GoError, error) ? error.value : error);

/**
 * Return a promise of the result or exception of 'work()', which may itself return a promise. As in k6, a task of its
 * own settles the promise. If 'work()' throws a GoError, the reason is the error's value.
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

/** Return a promise of the result of an operation that runs in a thread and returns a handle of 'run_aside'. */
export const aside = (...opAndArgs) => new Promise((resolve, reject) => {
  const handle = ReflectApply(host, undefined, opAndArgs);
  listen(handle, (outcome) => { // [[text, fields] of the failure or null, value]
    forget(handle);
    if (outcome[0]) reject(new GoValue(outcome[0][0], outcome[0][1]));
    else resolve(outcome[1]);
  });
});

const closings = SafeArray();
/** Call `close(isRejection)` when the iteration or stage fails. The iteration waits for the closings that it begins. */
export const onFailure = (close) => ArrayPrototypePush(closings, close);

/** End a failed stage: drop its timers, and close its sockets without events, as in k6. */
export const drop = () => {
  dropTimers();
  dropAll();
};

/** End a failed iteration: drop its timers and close its sockets with events. Return the timers' names. */
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
