// args: --iterations 3
// The samples of sockets that are open when the iteration fails: what came before counts, what the end brings does not.
import { WebSocket } from 'k6/websockets';

const where = ['timer', 'ping', 'pong'];

export default function () {
  const kind = where[__ITER];
  const fail = () => {
    throw new Error(`in ${kind}`);
  };
  const ws = new WebSocket(`${__ENV.WS_URL}/${kind === 'ping' ? 'raw?hex=8900' : 'echo'}`, null, { tags: { kind } });
  ws.onopen = () => {
    ws.send('one');
    if (kind === 'timer') {
      setTimeout(fail, 200);
    } else if (kind === 'pong') {
      ws.ping();
    }
  };
  if (kind !== 'timer') {
    ws[`on${kind}`] = fail;
  }
  ws.onclose = (e) => console.log(kind, 'close', e.code);
}
