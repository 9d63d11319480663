// k6: https://grafana.com/docs/k6/latest/javascript-api/k6/
// @ts-check
import { context } from 'jsrunner:context';
import { GoError } from 'jsrunner:errors';
import { bindContext, sleep as pause, tracksContexts } from 'jsrunner:core';
import { host } from 'jsrunner:host';
import {
  AsyncFunction, Math, MathImul, MathMin, MathRandom, Object, ObjectKeys, ReflectApply, ReflectDefineProperty,
  ReflectGet,
  StringPrototypeIncludes, isInstance,
} from 'jsrunner:primordials';
import {
  CHECKS, GROUP_DURATION, emit, now, tagValues,
} from 'jsrunner:samples';
import { asText } from 'jsrunner:values';

const JSLIB_CHECK = 'https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/check/';
const GROUP_DOCS = 'https://grafana.com/docs/k6/latest/javascript-api/k6/group/';

const checkName = (name) => {
  if (StringPrototypeIncludes(name, '::')) throw new GoError("group and check names may not contain '::'");
};

/** True if samples of `checks` carry the tag `check` (option systemTags). Read once, after the script is loaded. */
let tagged;

export function check(value, sets, tags) {
  if (context.inInit) throw new GoError('Using check() in the init context is not supported');
  if (arguments.length < 2) throw new GoError('no checks provided to `check`');
  const names = ObjectKeys(sets);
  const extra = tags === undefined || tags === null ? undefined : tagValues(tags, '');
  tagged ??= host('k6.tags_checks');
  let passed = true;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    checkName(name);
    let outcome = sets[name];
    if (typeof outcome === 'function') {
      if (isInstance(AsyncFunction, outcome)) {
        throw new GoError('the built-in check() does not support async functions as arguments. Use the '
          + 'JavaScript utils library as a replacement. Refer to ' + JSLIB_CHECK + ' for more info');
      }
      const call = outcome;
      try {
        outcome = call(value);
      } catch (error) {
        emit(CHECKS, 0, tagged ? { ...extra, check: name } : extra);
        throw error;
      }
    }
    if (!outcome) passed = false;
    emit(CHECKS, outcome ? 1 : 0, tagged ? { ...extra, check: name } : extra);
  }
  return passed;
}

export function fail(message) {
  throw new GoError(asText(message));
}

/**
 * Run a group whose context follows asynchronous code. If the group's function returns a promise, or another object
 * with `then`, the group lasts until the promise is settled. The sample of group_duration carries the tags and
 * metadata that were set when the group began.
 */
const runAsyncGroup = (name, call) => {
  host('k6.enter_group', name);
  const started = now();
  let isMeasured = false;
  const end = bindContext(() => {
    if (isMeasured) return;
    isMeasured = true;
    emit(GROUP_DURATION, now() - started);
  });
  let isPending = false;
  try {
    const result = call();
    const then = Object(result) === result ? result.then : undefined;
    if (typeof then !== 'function') return result;
    const settled = ReflectApply(then, result, [(value) => {
      end();
      return value;
    }, (reason) => {
      end();
      throw reason;
    }]);
    isPending = true;
    return settled;
  } finally {
    if (!isPending) end();
    host('k6.leave_group');
  }
};

export function group(name, call) {
  if (context.inInit) throw new GoError('Using group() in the init context is not supported');
  name = asText(name);
  if (typeof call !== 'function') throw new GoError('group() requires a callback as a second argument');
  const isAsync = tracksContexts();
  if (!isAsync && isInstance(AsyncFunction, call)) {
    throw new GoError('group() does not support async functions as arguments, please see ' + GROUP_DOCS + ' '
      + 'for more info');
  }
  checkName(name);
  if (isAsync) {
    const run = bindContext(runAsyncGroup); // tags that the group's function sets end with the call
    return run(name, call);
  }
  host('k6.enter_group', name);
  const started = now();
  try {
    return call();
  } finally {
    emit(GROUP_DURATION, now() - started);
    host('k6.leave_group');
  }
}

/** The Math.random that jsrunner has put in place. randomSeed does not replace a function of the script. */
let random = MathRandom;

export function randomSeed(seed) {
  // A 32-bit state is enough: k6 promises only that equal seeds give equal sequences.
  let state = +seed | 0;
  if (ReflectGet(Math, 'random') !== random) return;
  random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = MathImul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + MathImul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  ReflectDefineProperty(Math, 'random', {
    __proto__: null, value: random, writable: true, configurable: true,
  });
}

export function sleep(seconds) {
  const time = +seconds;
  if (!(time > 0)) return;
  pause(MathMin(time, 1e9) * 1000);
}

export default { check, fail, group, randomSeed, sleep };
