// Tags and metadata of samples of sockets: those of the VU when the session began, with its own over them.
// env: K6_SYSTEM_TAGS=vu,iter,scenario,group,check,name,url,status,subproto,method,proto,error,error_code,expected_response
import exec from 'k6/execution';
import { check, group, sleep } from 'k6';
import http from 'k6/http';
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';
import { Counter } from 'k6/metrics';
const c = new Counter('cc');
export const options = { iterations: 2, tags: { url: 'runurl', status: 'rs', who: 'run' } };
export default function () {
  const { tags, metadata } = exec.vu.metrics;
  const url = `${__ENV.WS_URL}/echo`;
  metadata.m = 'begin';
  tags.t = 'begin';
  ws.connect(url, { tags: { status: 'mine', subproto: 'mine', own: '1', name: 'n', group: 'gg' } }, (s) => {
    s.on('open', () => { metadata.m = 'open'; tags.t = 'open'; tags.url = 'x'; s.send('a'); s.ping(); });
    s.on('message', () => { c.add(1); metadata.m = 'msg'; tags.t = 'msg'; s.setTimeout(() => s.close(), 100); });
  });
  c.add(1);
  group('in', () => ws.connect(url, (s) => { s.on('open', () => { s.send('a'); }); s.on('message', () => { c.add(1); s.close(); }); }));
  tags.name = 'vuname';
  ws.connect(`${__ENV.WS_URL}/reject?status=404`, () => {});
  ws.connect('ws://127.0.0.1:1/', () => {});
  delete tags.who; delete tags.url;
  metadata.m = 'wsm';
  const w = new WebSocket(url, null, { tags: { who: 'ws' } });
  w.onopen = () => { metadata.m = 'late'; tags.t = 'late'; w.send('x'); w.ping(); };
  w.onmessage = () => { c.add(1); setTimeout(() => w.close(), 100); };
  const v = new WebSocket(url, null, { tags: { name: 'callname', url: 'u', status: 's' } });
  v.onopen = () => v.close();
  delete tags.name;
  const u = new WebSocket(url);
  u.onopen = () => u.close();
}
