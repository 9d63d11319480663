// jsrunner:loop — the VU's event loop (core/tasks.c) for jsrunner's modules.
// @ts-check
import { abandon as dropAll, dropTimers, hasWork, settle } from 'jsrunner:core';
import { ArrayPrototypePush, SafeArray } from 'jsrunner:primordials';

/** Kinds of timers. When an iteration is interrupted, the log names timers of the first two kinds. */
export const TIMEOUT = 0;
export const INTERVAL = 1;
export const OWN = 2;

const closings = SafeArray();
/** Call `close(isRejection)` when the iteration or stage fails. The iteration waits for the closings that it begins. */
export const onFailure = (close) => ArrayPrototypePush(closings, close);

/** End a failed iteration or stage: drop its timers and close its sockets with events. Return the timers' names. */
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
