// A timer takes null and undefined for its function, as long as the session ends before the timer is due.
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, (socket) => {
    for (const call of [null, undefined, 5, {}]) {
      for (const name of ['setTimeout', 'setInterval']) {
        try {
          console.log(name, String(call), socket[name](call, 60000));
        } catch (e) {
          console.log(name, e.name, e.message);
        }
      }
    }
    socket.on('open', () => socket.close());
  });
}
