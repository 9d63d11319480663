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

/** Have 'call' called after 'delay' milliseconds, and after every 'every' if that is not negative. */
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

/** A promise of what the operation does in a thread (see 'Interpreter.run_aside', whose handle it returns). */
export const aside = (...opAndArgs) => new Promise((resolve, reject) => {
  const handle = ReflectApply(host, undefined, opAndArgs);
  listen(handle, (outcome) => { // [[text, fields] of the failure or null, value]
    forget(handle);
    if (outcome[0]) reject(new GoValue(outcome[0][0], outcome[0][1]));
    else resolve(outcome[1]);
  });
});

const closings = SafeArray();
/** Have `close(isRejection)` called when what runs has failed: what it begins to close is waited for. */
export const onFailure = (close) => ArrayPrototypePush(closings, close);

/** End what has failed: timers are dropped, sockets closed and their events told. Returns the names of the timers. */
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
      // the first failure is the one that is told
    }
    dropAll(true);
    goOn = () => settle(() => {});
  } while (hasWork());
  dropAll();
  return timers;
};
