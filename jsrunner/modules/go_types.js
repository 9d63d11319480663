// jsrunner:go_types — Go's types of values, which k6 names in its error texts.
// @ts-check
import { later } from 'jsrunner:core';

const LARGEST = 2 ** 53;

/** Return true if a value is an int64 in Go. Other numbers, and -0, are float64. */
export const isGoInteger = (value) => typeof value === 'number' && value % 1 === 0 && value >= -LARGEST
  && value <= LARGEST && !(value === 0 && 1 / value < 0);

/** Return the name of a value's type in Go. @type {(value: unknown) => string} */
export const goType = later('jsrunner:go_type_names', 'goType');
