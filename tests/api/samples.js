import exec from 'k6/execution';
import { check, group } from 'k6';
import { Counter, Gauge, Trend } from 'k6/metrics';
const odd = new Trend('odd');
const seen = new Counter('seen');
const level = new Gauge('level');
export const options = { vus: 4, iterations: 40, systemTags: ['scenario', 'check', 'group', 'vu', 'iter'] };
export default () => {
  for (const value of [0, -0, 1.5, -1e300, Infinity, 1e-300]) odd.add(value);
  seen.add(1, { value: 'a', metric: 'b', time: '', text: 'ü\u0000"' });
  if (exec.scenario.iterationInTest % 2) seen.add(2, { color: 'red' });
  level.add(exec.scenario.iterationInTest);
  group('inner', () => check(1, { good: () => true }));
};
