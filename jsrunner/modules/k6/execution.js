// k6/execution: https://grafana.com/docs/k6/latest/javascript-api/k6-execution/
// @ts-check
import { callSite } from 'jsrunner:call_site';
import { context } from 'jsrunner:context';
import { GoError } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import {
  JSONParse, ObjectDefineProperties, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectKeys, Proxy,
  ReflectOwnKeys, ReflectSet, String, TypeError,
} from 'jsrunner:primordials';
import { tagText } from 'jsrunner:samples';
import { freezeDeep, isNullish } from 'jsrunner:values';

/** Return the descriptor of a property that scripts can read. */
const visible = (value) => ({ __proto__: null, enumerable: true, value });

/** Return the descriptor of a property that scripts can assign without effect. */
const assignable = (value) => ({ ...visible(value), __proto__: null, writable: true, configurable: true });

const readOnly = (names, read) => {
  const properties = { __proto__: null };
  for (let i = 0; i < names.length; i += 1) {
    properties[names[i]] = { __proto__: null, enumerable: true, get: () => read(names[i]) };
  }
  return ObjectDefineProperties({}, properties);
};

const NO_SCENARIO = 'getting scenario information outside of the VU context is not supported';

const refuseInInit = (what) => {
  if (context.inInit) throw new GoError('getting ' + what + ' in the init context is not supported');
};

const getLabel = (kind, key) => (typeof key === 'string' ? host('execution.get_label', kind, key) : undefined);

const setLabel = (kind, key, value) => {
  const text = tagText(value);
  if (text === undefined) {
    throw new TypeError('invalid value for metric ' + kind + " '" + String(key) + "': only String, Boolean and "
      + 'Number types are accepted as a metric ' + (kind === 'tag' ? 'tag values' : 'metadata value'));
  }
  host('execution.set_label', kind, String(key), text);
  return true;
};

/** Return the VU's tags or metadata as an object that accepts further members. */
const labels = (kind) => new Proxy({}, {
  __proto__: null,
  get: (target, key) => getLabel(kind, key) ?? target[key],
  has: (target, key) => getLabel(kind, key) !== undefined || key in target,
  set: (_, key, value) => setLabel(kind, key, value),
  defineProperty: (_, key, { value }) => setLabel(kind, key, value),
  deleteProperty(_, key) {
    host('execution.set_label', kind, String(key), null);
    return true;
  },
  ownKeys: () => host('execution.labels', kind),
  getOwnPropertyDescriptor(_, key) {
    const value = getLabel(kind, key);
    return value === undefined ? undefined : {
      __proto__: null, value, writable: true, enumerable: true, configurable: true,
    };
  },
});

/** True once the VU has data of the run. Always false in handleSummary. */
let knowsInstance = false;

const accessors = {
  __proto__: null,
  instance() {
    knowsInstance ||= host('execution.has_instance');
    if (!knowsInstance) throw new GoError('getting instance information in the init context is not supported');
    const names = ['currentTestRunDuration', 'iterationsCompleted', 'iterationsInterrupted', 'vusActive',
      'vusInitialized'];
    return readOnly(names, (name) => host('execution.instance', name));
  },
  scenario() {
    if (context.inInit) throw new GoError(NO_SCENARIO);
    const names = ['name', 'executor', 'startTime', 'progress', 'iterationInInstance', 'iterationInTest'];
    return readOnly(names, (name) => {
      const fact = host('execution.scenario', name);
      if (fact === undefined) throw new GoError(NO_SCENARIO);
      return fact;
    });
  },
  vu() {
    refuseInInit('VU information');
    const object = readOnly(['idInInstance', 'idInTest', 'iterationInInstance', 'iterationInScenario'],
      (name) => host('execution.vu_number', name));
    const tags = labels('tag');
    return ObjectDefineProperties(object, {
      __proto__: null,
      metrics: assignable(ObjectDefineProperties({}, {
        __proto__: null, tags: visible(tags), metadata: visible(labels('metadata')),
      })),
      tags: assignable(tags),
    });
  },
  test() {
    return ObjectDefineProperties({}, {
      __proto__: null,
      abort: visible((reason) => {
        const text = isNullish(reason) ? 'test aborted' : 'test aborted: ' + String(reason);
        host('execution.abort', text, callSite());
      }),
      fail: visible((reason) => {
        if (context.inInit) throw new GoError('execution.test.fail() called outside of VU context');
        host('execution.fail', isNullish(reason) ? '' : String(reason));
      }),
      options: {
        __proto__: null,
        enumerable: true,
        get() {
          refuseInInit('test options');
          return freezeDeep(JSONParse(host('execution.options')));
        },
      },
    });
  },
};

/** Return an object whose members are read anew at each access, as in k6. */
const live = (name) => new Proxy({}, {
  __proto__: null,
  get: (_, key) => accessors[name]()[key],
  has: (_, key) => key in accessors[name](),
  set: (_, key, value) => ReflectSet(accessors[name](), key, value),
  ownKeys: () => ReflectOwnKeys(accessors[name]()),
  getOwnPropertyDescriptor: (_, key) => {
    const found = ObjectGetOwnPropertyDescriptor(accessors[name](), key);
    return found && { __proto__: null, ...found, configurable: true };
  },
});

export const instance = live('instance');
export const scenario = live('scenario');
export const vu = live('vu');
export const test = live('test');

const all = {};
const kinds = ObjectKeys(accessors);
for (let i = 0; i < kinds.length; i += 1) {
  ObjectDefineProperty(all, kinds[i], { __proto__: null, enumerable: true, get: accessors[kinds[i]] });
}

export default all;
