// jsrunner:promises — promises that are made without looking anything up.
// @ts-check
import { Promise } from 'jsrunner:primordials';

/** Return a new promise that is resolved with the value. */
export const resolution = (value) => new Promise((resolve) => {
  resolve(value);
});

/** Return a new promise that is rejected. */
export const rejection = (error) => new Promise((_, reject) => {
  reject(error);
});
