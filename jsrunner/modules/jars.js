// jsrunner:jars — cookie jar objects of scripts -> handles of the jars in Python.
// @ts-check
import { SafeWeakMap } from 'jsrunner:primordials';
import { isObject } from 'jsrunner:values';

const handles = new SafeWeakMap();

export const keepHandle = (jar, handle) => handles.set(jar, handle);

/** Return the handle of a jar, undefined for any other value. */
export const handleOf = (value) => (isObject(value) ? handles.get(value) : undefined);
