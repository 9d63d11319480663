// jsrunner:go_types — Go's types of values, which k6 names in its error texts.
// @ts-check
import { later } from 'jsrunner:core';

const LARGEST = 2 ** 53;

/** Return whether a value is one of Go's int64: other numbers, and -0, are its float64. */
export const isGoInteger = (value) => typeof value === 'number' && value % 1 === 0 && value >= -LARGEST
  && value <= LARGEST && !(value === 0 && 1 / value < 0);

/** The name of the type that a value has in Go. @type {(value: unknown) => string} */
export const goType = later('jsrunner:go_type_names', 'goType');
