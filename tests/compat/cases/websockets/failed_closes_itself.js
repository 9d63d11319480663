// args: --iterations 2
// ignore: samples, summary
// The iteration fails while a socket connects, whose handler of `open` closes it. This takes no time.
import { WebSocket } from 'k6/websockets';

export default function () {
  const first = new WebSocket(`${__ENV.WS_URL}/idle`);
  first.onopen = () => {
    if (__ITER === 0) {
      throw new Error('in open');
    }
    setTimeout(() => {
      throw new Error('in a timer');
    }, 20);
  };
  const second = new WebSocket(`${__ENV.WS_URL}/slow?ms=200`);
  second.onopen = () => {
    console.log('open');
    second.close(3000);
  };
  second.onclose = (e) => console.log('close', e.code, second.readyState);
}
