// setup() fails by a rejected promise while a socket is open, whose handlers are not called any more.
import { WebSocket } from 'k6/websockets';

export function setup() {
  const ws = new WebSocket(`${__ENV.WS_URL}/idle`);
  ws.onclose = (e) => console.log('close', e.code);
  ws.onopen = async () => {
    console.log('open');
    setTimeout(() => console.log('never'), 60000);
    throw new Error('in open');
  };
}

export default function () {
  console.log('never');
}
