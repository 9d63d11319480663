// jsrunner:jars — the handles of Python's cookie jars behind the script's objects.
// @ts-check
import { SafeWeakMap } from 'jsrunner:primordials';
import { isObject } from 'jsrunner:values';

const handles = new SafeWeakMap();

export const keepHandle = (jar, handle) => handles.set(jar, handle);

/** Return the handle of a jar, undefined for any other value. */
export const handleOf = (value) => (isObject(value) ? handles.get(value) : undefined);
