// The test is aborted in a session inside of a session, both in groups.
import exec from 'k6/execution';
import ws from 'k6/ws';
import { group } from 'k6';
function go() {
  group('g', () => ws.connect(`${__ENV.WS_URL}/echo`, { tags: { n: 'outer' } }, (s) => { s.on('open', () => {
    group('h', () => ws.connect(`${__ENV.WS_URL}/echo`, { tags: { n: 'inner' } }, (t) => { t.on('open', () => exec.test.abort('x')); }));
  }); }));
}
export default function () { go(); }
