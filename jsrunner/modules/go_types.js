// jsrunner:go_types — what a value becomes in Go, which k6 names in its error texts.
// @ts-check
import { load } from 'jsrunner:globals/environment';
import { entries } from 'jsrunner:host';

const LARGEST = 2 ** 53;

/** Whether a value is one of Go's int64: other numbers, and -0, are its float64. */
export const isGoInteger = (value) => typeof value === 'number' && value % 1 === 0 && value >= -LARGEST
  && value <= LARGEST && !(value === 0 && 1 / value < 0);

let nameOf;
entries.provideTypeNames = (name) => {
  nameOf = name;
};

/** The name of the type that a value has in Go. */
export const goType = (value) => {
  if (!nameOf) load('jsrunner:go_type_names');
  return nameOf(value);
};
