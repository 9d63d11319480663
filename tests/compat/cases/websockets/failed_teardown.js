// teardown() fails while sockets are open: as it is no iteration, their handlers are not called any more.
import { WebSocket } from 'k6/websockets';

export default function () {}

export function teardown() {
  const idle = new WebSocket(`${__ENV.WS_URL}/idle`);
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  for (const socket of [idle, ws]) {
    socket.onerror = (e) => console.log('error', e.error);
    socket.onclose = (e) => console.log('close', e.code);
  }
  ws.onopen = () => ws.send('text');
  ws.onmessage = (e) => {
    console.log(e.data);
    setTimeout(() => console.log('never'), 60000);
    setTimeout(() => {
      throw new Error('in a timer');
    }, 20);
  };
}
