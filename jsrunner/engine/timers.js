// jsrunner:timers — the timers of one VU, by due time, then by registration: a heap, because scripts may
// have thousands (a time limit for each request, say) and remove most of them again.
// @ts-check
import { now } from 'jsrunner:host';

/**
 * `queued` is when the timer's task has joined the others: when it is due, but not before it was the
 * first of the timers. `at` is its place in the heap, `every` is negative for one that runs once.
 * @typedef {{ id: number, due: number, order: number, queued: number, at: number, every: number,
 *   call: () => void, name: string }} Timer
 */

/** The timers that wait, the one that is due first at index 0. To be read only. @type {Timer[]} */
export const timers = [];
/** All that were not removed, also the one that runs. @type {Map<number, Timer>} */
const active = new Map();
let lastId = 0;
let lastOrder = 0;

const before = (one, other) => one.due < other.due || (one.due === other.due && one.order < other.order);

const put = (timer, at) => {
  timers[at] = timer;
  timer.at = at;
};

const rise = (timer, at) => {
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(timer, timers[parent])) break;
    put(timers[parent], at);
    at = parent;
  }
  put(timer, at);
};

const sink = (timer, at) => {
  for (;;) {
    let child = 2 * at + 1;
    if (child >= timers.length) break;
    if (child + 1 < timers.length && before(timers[child + 1], timers[child])) child += 1;
    if (!before(timers[child], timer)) break;
    put(timers[child], at);
    at = child;
  }
  put(timer, at);
};

const schedule = (timer, delay) => {
  timer.due = now() + delay;
  timer.order = ++lastOrder;
  timer.queued = timer.due;
  rise(timer, timers.length);
};

const unschedule = (timer) => {
  const last = timers.pop();
  if (last !== timer) {
    if (before(last, timer)) rise(last, timer.at);
    else sink(last, timer.at);
  }
  timer.at = -1;
};

/** The first is now another one than before: its task cannot have joined the others any sooner. */
const promote = () => {
  if (timers.length) timers[0].queued = Math.max(timers[0].due, now());
};

/** Have `call` called after `delay` milliseconds, and after every `every` if that is not negative. */
export const addTimer = (call, delay, every, name) => {
  const timer = { id: ++lastId, due: 0, order: 0, queued: 0, at: -1, every, call, name };
  active.set(timer.id, timer);
  schedule(timer, delay);
  return timer.id;
};

export const removeTimer = (id) => {
  const timer = active.get(id);
  if (!timer) return;
  active.delete(id);
  if (timer.at < 0) return;
  const first = timer.at === 0;
  unschedule(timer);
  if (first) promote();
};

/** Run the first timer. An interval counts from the end of its callback, as in the HTML standard. */
export const runFirstTimer = () => {
  const timer = timers[0];
  unschedule(timer);
  try {
    timer.call();
  } finally {
    if (timer.every < 0) active.delete(timer.id);
    else if (active.has(timer.id)) schedule(timer, timer.every);
    promote();
  }
};

/** Drop all timers, as at the end of a failed iteration; returns their descriptions. */
export const dropTimers = () => {
  active.clear();
  return timers.splice(0).sort((one, other) => (before(one, other) ? -1 : 1))
    .map(({ name, id }) => `${name} ${id} was stopped because the VU iteration was interrupted`);
};
