// Codes and delays that no frame and no clock can have.
import ws from 'k6/ws';

const NUMBERS = [1e13, 9223372036854, 9223372036855, 1e19, -1e19, Infinity, -Infinity, NaN, 0.0000001, 70000, '1e3', true, 10n];

export default function () {
  NUMBERS.forEach((number, at) => {
    for (const method of ['close', 'setTimeout', 'setInterval']) {
      const events = [];
      const response = ws.connect(`${__ENV.WS_URL}/echo`, (socket) => {
        socket.on('close', (code) => events.push(`close ${code}`));
        socket.on('open', () => {
          try {
            socket[method](method === 'close' ? number : () => {}, number);
            events.push('accepted');
          } catch (error) {
            events.push(String(error));
          }
          socket.close();
        });
      });
      console.log(at, method, response.status, events.join(' | '));
    }
  });
}
