// Array.prototype.sort and toSorted with a function. The order of the function's calls is k6's, and so is the result
// for an inconsistent function (`(a, b) => a > b`). A consistent function gives the same result in both engines.
// @ts-check
import { ArrayIsArray, ArrayPrototypeSlice, ReflectApply, uncurryThis } from 'jsrunner:primordials';
import { defineMethods } from 'jsrunner:values';

const { prototype } = Array;
const sortBy = uncurryThis(prototype.sort);
const sortedBy = uncurryThis(prototype.toSorted);

/** Maximum number of items that k6 sorts by insertion. */
const FEW = 20;

const isDense = (list) => {
  for (let i = 0; i < list.length; i += 1) if (list[i] === undefined) return false;
  return true;
};

const insert = (list, compare) => {
  for (let i = 1; i < list.length; i += 1) {
    for (let j = i; j > 0 && compare(list[j], list[j - 1]) < 0; j -= 1) {
      const item = list[j];
      list[j] = list[j - 1];
      list[j - 1] = item;
    }
  }
};

/** Return a comparison that, as k6's, only tests for "less": a function without negative results moves no item. */
const consistent = (compare) => (one, other) => {
  if (compare(one, other) < 0) return -1;
  return compare(other, one) < 0 ? 1 : 0;
};

/** Return true if the function is consistent: it gives opposite signs for the first unequal neighbours, swapped. */
const agrees = (list, compare) => {
  for (let i = 1; i < FEW; i += 1) {
    const there = compare(list[i - 1], list[i]);
    const back = compare(list[i], list[i - 1]);
    if (typeof there === 'boolean' || (there < 0) !== (back > 0) || (there > 0) !== (back < 0)) return false;
    if (there) return true;
  }
  return true;
};

const isOurs = (list, compare) => typeof compare === 'function' && ArrayIsArray(list);

const methods = {
  sort(compare) {
    if (!isOurs(this, compare)) return sortBy(this, compare);
    if (this.length > FEW || !isDense(this)) {
      return sortBy(this, this.length > FEW && agrees(this, compare) ? compare : consistent(compare));
    }
    const items = ArrayPrototypeSlice(this);
    insert(items, compare);
    for (let i = 0; i < items.length; i += 1) this[i] = items[i];
    return this;
  },
  toSorted(compare) {
    if (!isOurs(this, compare)) return sortedBy(this, compare);
    const items = sortedBy(this, () => 0);
    return ReflectApply(methods.sort, items, [compare]);
  },
};
defineMethods(prototype, methods);
