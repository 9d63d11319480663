// jsrunner:jars — which cookie jar of Python's a script's object stands for.
// @ts-check
import { SafeWeakMap } from 'jsrunner:primordials';
import { isObject } from 'jsrunner:values';

const handles = new SafeWeakMap();

export const keepHandle = (jar, handle) => handles.set(jar, handle);

/** The handle of a jar, undefined for what is none. */
export const handleOf = (value) => (isObject(value) ? handles.get(value) : undefined);
