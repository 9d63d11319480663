// args: --iterations 2
// Sockets that are made after the iteration's failure get no connection; sleep() returns at once; checks do not count.
import { WebSocket } from 'k6/websockets';
import { check, sleep } from 'k6';

export default function () {
  let count = 0;
  const open = () => {
    const ws = new WebSocket(`${__ENV.WS_URL}/idle`);
    ws.onerror = (e) => console.log('error', e.error);
    ws.onclose = (e) => {
      console.log('close', e.code, ws.readyState);
      check(count, { 'not counted': () => true });
      sleep(30);
      count += 1;
      if (count < 3) {
        open();
      }
    };
  };
  open();
  setTimeout(() => {
    throw new Error('in a timer');
  }, 100);
}
