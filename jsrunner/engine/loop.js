// jsrunner:loop — one VU's event loop: timers and the tasks of modules (the HTML standard's task queue).
// @ts-check
import {
  GoError, GoValue, callPython, drainJobs, flush, host, hostError, now,
} from 'jsrunner:host';

/** @typedef {{ id?: number, due: number, every: number, call: () => void, name?: string }} Timer */

/** @type {Timer[]} by due time, then by registration */
const timers = [];
let lastId = 0;

/** What modules wait for from Python: handle -> called with the event's payload. */
const handles = new Map();

export const addTimer = (call, delay, every, name) => {
  const timer = { id: ++lastId, due: now() + delay, every, call, name };
  insert(timer);
  return timer.id;
};

const insert = (timer) => {
  let at = timers.length;
  while (at > 0 && timers[at - 1].due > timer.due) at -= 1;
  timers.splice(at, 0, timer);
};

export const removeTimer = (id) => {
  const at = timers.findIndex((timer) => timer.id === id);
  if (at >= 0) timers.splice(at, 1);
};

/** Have `call()` run as a task of its own: after the jobs that wait, before timers that come later. */
export const queueTask = (call) => insert({ due: now(), every: -1, call });

const reason = (error) => (error instanceof GoError ? error.value : error);

/**
 * A promise of what `work()` returns (perhaps a promise) or throws, settled by a task of its own, as
 * k6 settles the promises of what it does aside. Of a GoError the value is the reason.
 */
export const promised = (work) => new Promise((resolve, reject) => {
  try {
    const value = work();
    if (value instanceof Promise) value.then(resolve, (error) => reject(reason(error)));
    else queueTask(() => resolve(value));
  } catch (error) {
    queueTask(() => reject(reason(error)));
  }
});

/** Drop all timers, as at the end of a failed iteration; returns their descriptions. */
export const dropTimers = () => timers.splice(0)
  .filter(({ id }) => id !== undefined)
  .map(({ name, id }) => `${name} ${id} was stopped because the VU iteration was interrupted`);

/** Call `receive(payload)` for every event that Python posts to `handle`, until `forget(handle)`. */
export const listen = (handle, receive) => handles.set(handle, receive);
export const forget = (handle) => handles.delete(handle);

/** A promise of what the operation does in a thread (see `VU.run_aside`, whose handle it returns). */
export const aside = (op, ...args) => new Promise((resolve, reject) => {
  const handle = host(op, ...args);
  listen(handle, ([failure, value]) => {
    forget(handle);
    if (failure) reject(new GoValue(...failure));
    else resolve(value);
  });
});

export const hasWork = () => timers.length > 0 || handles.size > 0;

/** Events that came in one crossing and were not dispatched yet. */
const received = [];

/** Wait for the next task and run it. */
const runTask = () => {
  const timer = timers[0];
  if (!received.length && !(timer && timer.due <= now())) {
    flush();
    try {
      const events = callPython('loop.wait', timer ? timer.due - now() : null);
      received.push(...events);
    } catch (error) {
      throw hostError(error);
    }
  }
  if (received.length) {
    const [handle, payload] = received.shift();
    handles.get(handle)?.(payload);
  } else if (timer && timers[0] === timer && timer.due <= now()) {
    timers.shift();
    if (timer.every >= 0) {
      timer.due += Math.max(timer.every, 1);
      insert(timer);
    }
    timer.call();
  }
};

/**
 * Run tasks until nothing is left to wait for. Returns true when all is done, false if the caller
 * must return to Python, which runs the promise jobs, and call again. Throws what a task throws;
 * `onRejection(reason)` is told of promises that nobody handles and may throw.
 */
export const settle = (onRejection) => {
  for (;;) {
    const rejections = drainJobs();
    if (!rejections) return false;
    if (rejections.length) onRejection(rejections[0]);
    if (!hasWork() && !received.length) return true;
    runTask();
  }
};
