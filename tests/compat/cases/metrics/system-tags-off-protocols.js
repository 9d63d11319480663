// Without any system tag: samples of protocols, groups and checks have only the tags that were set.
// env: K6_SYSTEM_TAGS=foo
import exec from 'k6/execution';
import { group, check } from 'k6';
import http from 'k6/http';
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';
import { Counter } from 'k6/metrics';
const c = new Counter('cc');
export const options = { tags: { url: 'runurl', name: 'rn' }, scenarios: { sc: { executor: 'per-vu-iterations', tags: { a: 'b', group: 'scg' } } } };
export function setup() { c.add(1); group('g', () => c.add(1)); }
export default async function () {
  const { tags, metadata } = exec.vu.metrics;
  const url = `${__ENV.HTTP_URL}/status/200`;
  http.get(url);
  http.get(url, { tags: { name: 'n', url: 'cu', status: 'cs', group: 'cg', scenario: 'cscn', expected_response: 'ce', check: 'x' } });
  group('g', () => { check(1, { a: true }); check(1, { a: true }, { check: 'named' }); group('h', () => c.add(1)); tags.group = 'now'; });
  c.add(1);
  delete tags.name;
  tags.group = '::a::b';
  check(1, { q: true });
  group('z', () => { c.add(1); });
  ws.connect(`${__ENV.WS_URL}/echo`, { tags: { status: 'st' } }, (s) => { s.on('open', () => s.close()); });
  const u = new WebSocket(`${__ENV.WS_URL}/echo`, null, { tags: { status: 'st', name: 'nn' } });
  u.onopen = () => u.close();
  const v = new WebSocket(`${__ENV.WS_URL}/echo`);
  v.onopen = () => v.close();
}
