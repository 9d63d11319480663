// jsrunner:context — the phase of the script: init code or VU code.
// @ts-check

/** `inInit` is true while init code runs, which may call other functions than VU code. */
export const context = { __proto__: null, inInit: true };
