// Tags `group` and `check` by hand: where the summary puts such checks; types of values that tags take.
// also: summary
// args: --summary-mode full
import exec from 'k6/execution';
import { check, group } from 'k6';
import { Counter, Rate } from 'k6/metrics';
const c = new Counter('cc');
const checks = new Rate('checks');
export default function () {
  checks.add(1, { check: 'by hand', group: '::x' });
  check(1, { a: true }, { group: 'no colons' });
  check(1, { b: true }, { group: 'pre::c' });
  check(1, { b: true }, { group: '::c::d' });
  exec.vu.metrics.tags.group = 'xx';
  group('q', () => check(1, { c: true }));
  exec.vu.metrics.tags.scenario = 'other';
  check(1, { d: true });
  delete exec.vu.metrics.tags.group;
  check(1, { e: false });
  for (const v of [null, undefined, {}, [], () => 1, Symbol('x'), 10n, new String('s'), new Number(4), new Boolean(false), new Date(0), NaN, -0, 1e21, true]) {
    try { exec.vu.metrics.tags.v = v; console.log('ok', exec.vu.metrics.tags.v); } catch (e) { console.log(e.name, String(e)); }
    try { exec.vu.metrics.metadata.v = v; console.log('ok', exec.vu.metrics.metadata.v); } catch (e) { console.log(e.name, String(e)); }
    try { c.add(1, { v }); } catch (e) { console.log(e.name, String(e)); }
  }
  const t = exec.vu.metrics.tags;
  console.log('who' in t, t.nope, delete t.nope, Object.keys(t).length, JSON.stringify(Object.keys(t).sort()));
  console.log(exec.vu.tags.scenario, typeof exec.vu.metrics.tags.toString, typeof t, Array.isArray(t));
  exec.vu.tags = { a: 1 };
  t[5] = 'five';
  c.add(1);
  delete t[5];
  Object.defineProperty(t, 'z', { value: 'z' });
  console.log(t.z, 'z' in t, 'toString' in t);
}
