// jsrunner:timers — the timers of one VU, by due time, then by registration: a heap, because scripts may
// have thousands (a time limit for each request, say) and remove most of them again.
// @ts-check
import { timers } from 'jsrunner:host';
import {
  ArrayPrototypeMap, ArrayPrototypePop, ArrayPrototypeSlice, ArrayPrototypeSort, MathMax, SafeMap,
} from 'jsrunner:primordials';
import { now } from 'jsrunner:samples';

/**
 * `queued` is when the timer's task has joined the others: when it is due, but not before it was the
 * first of the heap. `at` is its place in the heap, `every` is negative for one that runs once.
 * @typedef {{ id: number, due: number, order: number, queued: number, at: number, every: number,
 *   task: () => void, name: string }} Timer
 */

/** The one that is due first is at index 0. @type {Timer[]} */
const heap = timers;
/** All that were not removed, also the one that runs. @type {Map<number, Timer>} */
const active = new SafeMap();
let lastId = 0;
let lastOrder = 0;

const before = (one, other) => one.due < other.due || (one.due === other.due && one.order < other.order);

const put = (timer, at) => {
  heap[at] = timer;
  timer.at = at;
};

const rise = (timer, at) => {
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(timer, heap[parent])) break;
    put(heap[parent], at);
    at = parent;
  }
  put(timer, at);
};

const sink = (timer, at) => {
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child += 1;
    if (!before(heap[child], timer)) break;
    put(heap[child], at);
    at = child;
  }
  put(timer, at);
};

const schedule = (timer, delay) => {
  timer.due = now() + delay;
  timer.order = ++lastOrder;
  timer.queued = timer.due;
  rise(timer, heap.length);
};

const unschedule = (timer) => {
  const last = ArrayPrototypePop(heap);
  if (last !== timer) {
    if (before(last, timer)) rise(last, timer.at);
    else sink(last, timer.at);
  }
  timer.at = -1;
};

/** The first is now another one than before: its task cannot have joined the others any sooner. */
const promote = () => {
  if (heap.length) heap[0].queued = MathMax(heap[0].due, now());
};

/** Have `task` called after `delay` milliseconds, and after every `every` if that is not negative. */
export const addTimer = (task, delay, every, name) => {
  const timer = { id: ++lastId, due: 0, order: 0, queued: 0, at: -1, every, task, name };
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
  const timer = heap[0];
  unschedule(timer);
  try {
    const { task } = timer;
    task();
  } finally {
    if (timer.every < 0) active.delete(timer.id);
    else if (active.has(timer.id)) schedule(timer, timer.every);
    promote();
  }
};

/** Drop all timers, as at the end of a failed iteration; their names and ids. */
export const dropTimers = () => {
  active.clear();
  const dropped = ArrayPrototypeSort(ArrayPrototypeSlice(heap), (one, other) => (before(one, other) ? -1 : 1));
  heap.length = 0;
  return ArrayPrototypeMap(dropped, ({ name, id }) => name + ' ' + id);
};
