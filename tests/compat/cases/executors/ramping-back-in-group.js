// A VU whose iteration is cut inside of group() and which comes back: its numbers and tags.
import exec from 'k6/execution';
import { group, sleep } from 'k6';
export const options = { scenarios: { a: { executor: 'ramping-vus', startVUs: 1, stages: [{ duration: '1s', target: 1 }, { duration: '0s', target: 0 }, { duration: '1s', target: 0 }, { duration: '0s', target: 1 }, { duration: '500ms', target: 1 }], gracefulRampDown: '0s', gracefulStop: '0s' } } };
export default function () {
  console.log(exec.vu.iterationInInstance, exec.vu.iterationInScenario, exec.scenario.iterationInTest, __ITER, JSON.stringify(Object.entries(exec.vu.metrics.tags).sort()));
  exec.vu.metrics.tags.mine = 'x';
  group('outer', () => sleep(9));
}
