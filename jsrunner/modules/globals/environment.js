// __ENV, __VU and the other members that k6 adds to the global scope of a script.
// @ts-check
import { defineLater } from 'jsrunner:core';
import { GoError } from 'jsrunner:errors';
import { entries, host } from 'jsrunner:host';
import { defineGlobal } from 'jsrunner:language';
import {
  ObjectDefineProperty, ObjectFreeze, ObjectHasOwn, ObjectKeys, Proxy, String, globalThis,
} from 'jsrunner:primordials';
import { setOwn } from 'jsrunner:values';

let variables;
let isFrozen;
// A script may write to its __ENV, unless it is frozen. Values become strings, and only this VU sees them.
const publish = () => defineGlobal('__ENV', isFrozen ? ObjectFreeze({ ...variables }) : new Proxy(variables, {
  __proto__: null,
  set(target, key, value) {
    setOwn(target, key, String(value));
    return true;
  },
}));
defineGlobal('__ENV', undefined);
defineGlobal('__VU', 0);

/** Set the variables of `__ENV`. The template has them already, so each VU has them without a request. */
export const setVariables = (environment, isEnvironmentFrozen) => {
  variables = environment;
  isFrozen = isEnvironmentFrozen;
  publish();
};

/** Set the VU's number. */
export const setUp = (number) => {
  if (variables === undefined) {
    const { environment, isEnvironmentFrozen } = host('vu.environment');
    setVariables(environment, isEnvironmentFrozen);
  }
  defineGlobal('__VU', number);
};

/** Variables of the VU's present scenario. They hide other variables of the same names. */
let overlaid = { __proto__: null };
entries.setEnvironment = (scenario) => {
  const covered = ObjectKeys(overlaid);
  for (let i = 0; i < covered.length; i += 1) {
    if (overlaid[covered[i]] === undefined) delete variables[covered[i]];
    else setOwn(variables, covered[i], overlaid[covered[i]]);
  }
  overlaid = { __proto__: null };
  const names = scenario ? ObjectKeys(scenario) : [];
  for (let i = 0; i < names.length; i += 1) {
    overlaid[names[i]] = ObjectHasOwn(variables, names[i]) ? variables[names[i]] : undefined;
    setOwn(variables, names[i], scenario[names[i]]);
  }
  if (isFrozen) publish();
};

const mixed = (name) => ObjectDefineProperty(globalThis, name, {
  __proto__: null,
  configurable: true,
  get() {
    throw new GoError('you are trying to access identifier "' + name + '", this likely is due to mixing ECMAScript '
      + 'Modules (ESM) and CommonJS syntax. This isn\'t supported in the JavaScript standard, please use only '
      + 'one or the other');
  },
  set(value) {
    defineGlobal(name, value);
  },
});
mixed('module');
mixed('exports');

/**
 * Define members whose first use loads the module that exports them. They cost memory in each VU, and few scripts
 * use them. A script may have frozen their object.
 */
export const later = (target, module, names, writable) => {
  for (let i = 0; i < names.length; i += 1) defineLater(target, 'jsrunner:globals/' + module, names[i], writable);
};
later(globalThis, 'console', ['console'], true);
later(globalThis, 'require', ['open', 'require'], true);
later(globalThis, 'text', ['TextEncoder', 'TextDecoder'], true);
later(globalThis, 'timers', ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'], true);
later(globalThis, 'webcrypto', ['crypto'], true);
