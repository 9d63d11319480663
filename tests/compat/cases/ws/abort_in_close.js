// exec.test.abort() in a handler of `close`, which the script's own close() has called: the session is measured.
import ws from 'k6/ws';
import exec from 'k6/execution';

export default function () {
  ws.connect(`${__ENV.WS_URL}/echo`, (socket) => {
    socket.on('open', () => socket.close(1000));
    socket.on('close', (code) => {
      console.log('close', code);
      exec.test.abort('enough');
    });
  });
  console.log('never');
}
