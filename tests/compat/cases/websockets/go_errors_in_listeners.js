// args: --iterations 4
// ignore: samples, summary
// An error of k6's own that a listener throws: of addEventListener it has only its text. close() decides the code.
import { WebSocket } from 'k6/websockets';
import { fail } from 'k6';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  ws.onerror = (e) => console.log('error', e.error);
  ws.onclose = (e) => console.log('close', e.code, ws.readyState);
  ws.addEventListener('open', () => {
    if (__ITER === 0) {
      ws.send(5);
    }
    ws.send('text');
  });
  ws.addEventListener('message', () => {
    if (__ITER === 1) {
      fail('by fail()');
    }
    ws.close(3001);
    if (__ITER === 2) {
      throw new Error('after close()');
    }
    ws.send('too late');
  });
}
