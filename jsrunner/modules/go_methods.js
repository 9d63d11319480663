// jsrunner:go_methods — marks of functions and objects that are Go's in k6.
// @ts-check
import { ArrayPrototypePush, SafeArray, SafeWeakMap } from 'jsrunner:primordials';

/** Methods of objects that are Go's: its JSON knows none of them, where it refuses scripts' functions. */
export const goMethods = SafeArray();
export const addGoMethod = (method) => ArrayPrototypePush(goMethods, method);

const structs = new SafeWeakMap();
/** Objects that Go's JSON knows better: `shown` has the names of a struct's members, or makes their value. */
export const addGoStruct = (object, shown) => structs.set(object, shown);
export const goStruct = (object) => structs.get(object);
