// jsrunner:context — the phase of the script: init code or VU code.
// @ts-check

/** `inInit` is true while init code runs. Some functions may be called only there, others only in VU code. */
export const context = { __proto__: null, inInit: true };
