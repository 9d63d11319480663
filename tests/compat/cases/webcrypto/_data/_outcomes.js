// What comes of calls of crypto.subtle, in the order of the calls.
import { hex } from './_tools.js';

const shown = (value) => {
  if (value instanceof ArrayBuffer) return hex(value);
  if (value && value.privateKey) return `${shown(value.privateKey)} / ${shown(value.publicKey)}`;
  if (value && value.usages) {
    const { name, length, namedCurve, modulusLength, hash } = value.algorithm;
    return [value.type, value.extractable, name, length, namedCurve, modulusLength, hash && hash.name, value.usages.join('+')].join(' ');
  }
  return JSON.stringify(value);
};

// `f` makes a promise. An exception that it throws itself is told apart.
export async function outcome(label, f) {
  let promise;
  try {
    promise = f();
  } catch (e) {
    console.log(label, 'threw', String(e));
    return;
  }
  try {
    console.log(label, shown(await promise));
  } catch (e) {
    console.log(label, 'rejected', e.name, String(e));
  }
}
