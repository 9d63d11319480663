// Tags and metadata of a VU over scenarios, groups and stages, with tags of the run named like system tags.
// env: K6_SYSTEM_TAGS=vu,iter,scenario,group,check,name,url,status
import exec from 'k6/execution';
import { check, group, sleep } from 'k6';
import { Counter } from 'k6/metrics';
const c = new Counter('cc');
export const options = {
  tags: { who: 'run', group: 'rungroup', scenario: 'runscenario', vu: 'x', iter: 'y' },
  scenarios: {
    a: { executor: 'per-vu-iterations', iterations: 2, tags: { who: 'scn', scenario: 'mine', group: 'sg', extra: '1' } },
    b: { executor: 'per-vu-iterations', iterations: 1, startTime: '1s', exec: 'other' },
  },
};
const show = (w) => console.log(w, JSON.stringify(Object.entries(exec.vu.metrics.tags).sort()), JSON.stringify(Object.entries(exec.vu.metrics.metadata).sort()));
export function setup() { show('setup'); c.add(1); group('in setup', () => { c.add(1); check(1, { ok: true }); });exec.vu.metrics.tags.foo = 'x'; exec.vu.metrics.tags.group = 'y'; exec.vu.metrics.metadata.m = 1; c.add(1); }
export default function () {
  show('begin');
  exec.vu.metrics.tags.mine = 'x'; exec.vu.metrics.metadata.mm = 'y';
  exec.vu.metrics.metadata.iter = 'own';
  exec.vu.metrics.tags.iter = 'own';
  c.add(1);
  group('', () => { show('empty group'); c.add(1); group('', () => c.add(1)); group('x', () => group('', () => c.add(1))); });
  delete exec.vu.metrics.tags.group; show('no group');
  c.add(1);
  group('g', () => { show('in g'); c.add(1); delete exec.vu.metrics.tags.group; group('h', () => c.add(1)); show('after h'); });
  show('after g');
  delete exec.vu.metrics.metadata.vu;
  c.add(1);
}
export function other() { show('other'); c.add(1); }
export function teardown() { show('teardown'); c.add(1); }
export function handleSummary() { try { show('hs'); } catch (e) { console.log(String(e)); } return {}; }
