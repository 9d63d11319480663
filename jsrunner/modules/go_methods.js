// jsrunner:go_methods — marks functions and objects that are values of Go in k6.
// @ts-check
import { ArrayPrototypePush, SafeArray, SafeWeakMap } from 'jsrunner:primordials';

/** Methods of Go's objects. Go's JSON leaves them out, while it refuses functions of scripts. */
export const goMethods = SafeArray();
export const addGoMethod = (method) => ArrayPrototypePush(goMethods, method);

const structs = new SafeWeakMap();
/** Mark an object as a Go struct. `shown` has the names of its members for Go's JSON, or makes its value. */
export const addGoStruct = (object, shown) => structs.set(object, shown);
export const goStruct = (object) => structs.get(object);
