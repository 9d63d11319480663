// The second and third argument of `new WebSocket`, of all kinds.
import { WebSocket } from 'k6/websockets';

export default function () {
  const kinds = { nothing: undefined, null: null, number: 5, text: 'xy', empty: '', truth: true, list: ['a', 'b'], 'empty list': [], call: () => 1, object: {}, date: new Date(0), 'null in': [null] };
  for (const at of [1, 2]) {
    for (const [name, value] of Object.entries(kinds)) {
      const given = ['ws://127.0.0.1:1/', null, undefined];
      given[at] = value;
      try {
        const socket = new WebSocket(...given);
        socket.onerror = () => {};
        console.log(`${at} ${name}: ${socket.readyState}`);
      } catch (e) {
        console.log(`${at} ${name}: ${e}`);
      }
    }
  }
}
