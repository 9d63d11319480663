// jsrunner:loop — one VU's event loop (the HTML standard's, with one task queue): timers, and events that
// Python posts for who listens. worker/loop.py is its other half.
// @ts-check
import { GoError, GoValue } from 'jsrunner:errors';
import { callPython, drainJobs, host, hostError, native, timers } from 'jsrunner:host';
import {
  ArrayPrototypePush, ArrayPrototypeSlice, MathMax, ObjectSetPrototypeOf, Promise, PromisePrototypeThen, ReflectApply,
  SafeArray, SafeMap, isInstance,
} from 'jsrunner:primordials';
import { flush, flushSamples, now, onFlush } from 'jsrunner:samples';
import { dropTimers, runFirstTimer } from 'jsrunner:timers';

export { addTimer, removeTimer } from 'jsrunner:timers';

/** A VU that has much to do lets the others, and its own sockets, have their turn after so many ms. */
const SLICE = 2;

// The first character of a call's name says what it is: calls without JSON arguments are cheaper.
const WAIT = '\x04';
const TURN = WAIT + 'turn';
const NO_ALARM = WAIT + '-';
/** What `WAIT` returns when there are no events; 0 is nothing at all. */
const REJECTIONS = 1;
const ALARM = 2;

host('loop.set_clock', now());

/**
 * What waits for events from Python: handle -> called with an event's payload and the time of its arrival;
 * and what is to be told of the payloads that came but will not be dispatched.
 */
const listeners = new SafeMap();
const givenUp = new SafeMap();

/**
 * Call `receive(payload, time)` for every event that Python posts to `handle`, until `forget(handle)`. Until
 * then the iteration goes on. If it fails, `giveUp(payloads)` is told what was not dispatched.
 */
export const listen = (handle, receive, giveUp) => {
  listeners.set(handle, receive);
  if (giveUp) givenUp.set(handle, giveUp);
};
export const forget = (handle) => {
  listeners.delete(handle);
  givenUp.delete(handle);
};

/**
 * Events that came: [handle, time, ...payloads] each, or a function instead of the handle. The next to be
 * dispatched is events[at][next].
 */
let events = SafeArray();
let at = 0;
let next = 2;

/** Whether anything is to be done or waited for. */
export const hasWork = () => events.length > 0 || listeners.size > 0 || timers.length > 0;

/** Have `call()` run as a task of its own: after the jobs that wait, before timers that come later. */
export const queueTask = (call) => {
  ArrayPrototypePush(events, [call, now(), undefined]);
};

const reason = (error) => (isInstance(GoError, error) ? error.value : error);

/**
 * A promise of what `work()` returns (perhaps a promise) or throws, settled by a task of its own, as
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

/** A promise of what the operation does in a thread (see `VU.run_aside`, whose handle it returns). */
export const aside = (...opAndArgs) => new Promise((resolve, reject) => {
  const handle = ReflectApply(host, undefined, opAndArgs);
  listen(handle, (outcome) => { // [[text, fields] of the failure or null, value]
    forget(handle);
    if (outcome[0]) reject(new GoValue(outcome[0][0], outcome[0][1]));
    else resolve(outcome[1]);
  });
});

/** How many tasks have run since control was last given up, and when it is to be given up again. */
let ran = 0;
let sliceEnd = 0;

/** Whether control has left for longer, so that events may have come of which nothing is known here. */
let left = false;
onFlush(() => {
  left = true;
});

/** The due time for which Python has set an alarm. */
let armed = Infinity;

// A module may have a call that does what is to be done before waiting, and waits: one crossing for both.
let departure = () => undefined;
let answered = () => {};
/**
 * `find()` gives the name of such a call, or undefined if there is nothing that it could take along.
 * It may return a string instead of events: `receive(text, time)` is called.
 */
export const onDeparture = (find, receive) => {
  departure = find;
  answered = receive;
};

const take = (arrived) => {
  if (typeof arrived === 'string') {
    ran = 1;
    answered(arrived, now());
  } else if (arrived === ALARM) {
    armed = Infinity;
  } else if (typeof arrived === 'object') {
    if (!events.length) events = ObjectSetPrototypeOf(arrived, null);
    else for (let i = 0; i < arrived.length; i += 1) ArrayPrototypePush(events, arrived[i]);
  }
  return arrived;
};

/** Wait for events or for the first timer; what Python says of it. */
const wait = () => {
  const timer = timers[0];
  const due = timer ? timer.due : Infinity;
  ran = 0;
  flushSamples();
  if (due === armed) {
    const call = departure();
    if (call) return callPython(call);
  }
  flush();
  left = false;
  if (due === armed) return callPython(WAIT);
  armed = due;
  return callPython(timer ? WAIT + MathMax(due - now(), 0) : NO_ALARM);
};

/** Whether a task can run without waiting. */
const isReady = () => {
  if (events.length) return true;
  const timer = timers[0];
  return timer !== undefined && timer.queued <= now();
};

const runTask = () => {
  ran += 1;
  if (left || (ran > 2 && now() >= sliceEnd)) {
    flush();
    left = false;
    ran = 1;
    take(callPython(TURN));
  } else if (ran === 2) {
    sliceEnd = now() + SLICE;
  }
  const timer = timers[0];
  const arrived = events[at];
  if (timer && timer.queued <= (arrived ? arrived[1] : now())) {
    runFirstTimer();
    return;
  }
  const payload = arrived[next];
  next += 1;
  if (next === arrived.length) {
    next = 2;
    at += 1;
    if (at === events.length) {
      events = SafeArray();
      at = 0;
    }
  }
  const handle = arrived[0];
  const receive = typeof handle === 'number' ? listeners.get(handle) : handle;
  receive?.(payload, arrived[1]);
};

/**
 * Run tasks until nothing is left to wait for. Returns true when all is done, or when `isOver()`; false if
 * the caller must return to Python, which runs the promise jobs there, and call again with `jobsDone`.
 * Throws what a task throws; `onRejection(reason)` is told of a promise that nobody handles.
 */
export const settle = (jobsDone, onRejection, isOver) => {
  const drain = () => {
    const rejections = drainJobs();
    if (rejections?.length) onRejection(rejections[0]);
    return rejections;
  };
  try {
    for (; !isOver(); jobsDone = false) {
      if (native && hasWork() && !isReady()) {
        if (take(wait()) === REJECTIONS) drain(); // it has run the jobs
        if (!events.length) continue;
      } else if (!jobsDone) {
        if (!drain()) return false;
        if (isOver()) break;
      }
      if (isReady()) runTask();
      else if (!hasWork()) break;
      else if (!native) take(wait());
    }
    return true;
  } catch (error) {
    throw hostError(error);
  }
};

/** The iteration has failed: nothing is waited for any more. Returns which timers were dropped. */
export const abandon = () => {
  const payloads = (handle) => {
    const found = SafeArray();
    for (let i = at; i < events.length; i += 1) {
      const rest = events[i][0] === handle ? ArrayPrototypeSlice(events[i], i > at ? 2 : next) : null;
      for (let j = 0; j < rest?.length; j += 1) ArrayPrototypePush(found, rest[j]);
    }
    return found;
  };
  givenUp.forEach((giveUp, handle) => giveUp(payloads(handle)));
  events = SafeArray();
  at = 0;
  next = 2;
  listeners.clear();
  givenUp.clear();
  return dropTimers();
};
