// jsrunner:promises — promises that jsrunner's modules return.
// @ts-check
import { forget, host, listen, queueTask } from 'jsrunner:core';
import { GoError, GoValue } from 'jsrunner:errors';
import { Promise, PromisePrototypeThen, ReflectApply, isInstance } from 'jsrunner:primordials';

// A script that replaces Promise.resolve or Promise.reject does not affect the next two functions.

/** Return a new promise that is resolved with the value. */
export const resolution = (value) => new Promise((resolve) => {
  resolve(value);
});

/** Return a new promise that is rejected with the error. */
export const rejection = (error) => new Promise((_, reject) => {
  reject(error);
});

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
