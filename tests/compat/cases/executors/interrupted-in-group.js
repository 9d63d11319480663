// Interrupted inside group(): what is left of group, tags and samples, for the next iteration too.
import exec from 'k6/execution';
import { group, sleep } from 'k6';
import { Counter } from 'k6/metrics';
const c = new Counter('steps');
export const options = { scenarios: {
  a: { executor: 'constant-vus', duration: '1s', gracefulStop: '0s' },
  b: { executor: 'per-vu-iterations', startTime: '1500ms', exec: 'next' },
} };
export default function () {
  exec.vu.metrics.tags.mine = 'x';
  group('outer', () => { c.add(1); group('inner', () => { c.add(1); sleep(9); }); });
}
export function next() { console.log(JSON.stringify(Object.entries(exec.vu.metrics.tags).sort())); c.add(1); group('z', () => c.add(1)); }
