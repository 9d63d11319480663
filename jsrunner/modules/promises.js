// jsrunner:promises — settled promises. A script that replaces Promise.resolve or Promise.reject does not affect them.
// @ts-check
import { Promise } from 'jsrunner:primordials';

/** Return a new promise that is resolved with the value. */
export const resolution = (value) => new Promise((resolve) => {
  resolve(value);
});

/** Return a new promise that is rejected with the error. */
export const rejection = (error) => new Promise((_, reject) => {
  reject(error);
});
