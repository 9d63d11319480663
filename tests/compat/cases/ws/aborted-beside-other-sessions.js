// ignore: errors
// The test is aborted in a handler of one VU while others have sessions: whose duration is measured.
import exec from 'k6/execution';
import ws from 'k6/ws';
import { group, sleep } from 'k6';
import { Counter } from 'k6/metrics';
const c = new Counter('steps');
export const options = { scenarios: { a: { executor: 'per-vu-iterations', vus: 3 } } };
export default function () {
  const me = exec.vu.idInTest;
  ws.connect(`${__ENV.WS_URL}/echo`, { tags: { me: String(me) } }, (s) => { s.on('open', () => { s.send('x'); if (me === 2) s.setTimeout(() => { c.add(1); exec.test.abort('now'); }, 700); });
   s.on('message', () => c.add(1, { me: String(me) }));
  });
}
