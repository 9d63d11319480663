// jsrunner:go_methods — which functions are Go's own.
// @ts-check
import { ArrayPrototypePush, SafeArray } from 'jsrunner:primordials';

/** Methods of objects that are Go's: its JSON knows none of them, where it refuses scripts' functions. */
export const goMethods = SafeArray();
export const addGoMethod = (method) => ArrayPrototypePush(goMethods, method);
