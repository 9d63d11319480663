// Which facts of k6/execution each stage knows.
import exec from 'k6/execution';

const attempt = (read) => {
  try {
    return JSON.stringify(read());
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
const NAMES = {
  instance: ['currentTestRunDuration', 'iterationsCompleted', 'iterationsInterrupted', 'vusActive', 'vusInitialized'],
  scenario: ['name', 'executor', 'startTime', 'progress', 'iterationInInstance', 'iterationInTest'],
  vu: ['idInInstance', 'idInTest', 'iterationInInstance', 'iterationInScenario'],
  test: ['options', 'abort', 'fail', 'nope'],
};
const VAGUE = ['startTime', 'currentTestRunDuration', 'progress', 'options', 'abort', 'fail'];
const facts = (stage) => {
  for (const [part, names] of Object.entries(NAMES)) {
    console.log(stage, part, attempt(() => typeof exec[part]), attempt(() => Object.keys(exec[part]).sort()));
    for (const name of names) {
      console.log(stage, name, attempt(() => (VAGUE.includes(name) ? typeof exec[part][name] : String(exec[part][name]))));
    }
  }
  console.log(stage, attempt(() => Object.entries(exec.vu.metrics.tags).sort()), attempt(() => Object.keys(exec.vu.metrics.metadata)));
};
if (__VU === 1) facts('init');
export function setup() { facts('setup'); }
export default function () { facts('default'); }
export function teardown() { facts('teardown'); }
export function handleSummary() { facts('summary'); return {}; }
