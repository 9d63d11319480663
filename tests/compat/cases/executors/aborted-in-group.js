// The test is aborted inside of group(): what is measured of the groups, and what is left of their tags.
import exec from 'k6/execution';
import { group, sleep } from 'k6';
import { Counter } from 'k6/metrics';
const c = new Counter('steps');
export default function () {
  exec.vu.metrics.tags.mine = 'x';
  group('outer', () => { c.add(1); group('inner', () => { c.add(1); exec.vu.metrics.tags.group = 'changed'; exec.test.abort('so'); }); });
}
export function teardown() { group('in teardown', () => c.add(1)); }
