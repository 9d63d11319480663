// jsrunner:context — where in its life the script is.
// @ts-check

/** Init code may do less (and more) than the VU's functions. */
export const context = { __proto__: null, inInit: true };
