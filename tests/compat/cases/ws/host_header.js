// A header Host is sent in ASCII, and empty if it can be no host. The first of two subprotocols counts.
import ws from 'k6/ws';
import http from 'k6/http';

export default function () {
  for (const Host of ['example.test', 'A.Test:80', 'a_b', 'gr\u00fcn.test', 'two words', 'a/b', 'a"b', '[::1]:9', '']) {
    ws.connect(`${__ENV.WS_URL}/headers`, { headers: { Host } }, (socket) => {
      socket.on('message', (text) => {
        console.log(Host, '| ws', JSON.parse(text).filter((field) => field[0] === 'host').join());
        socket.close();
      });
    });
    console.log(Host, '| http', http.get(`${__ENV.HTTP_URL}/anything`, { headers: { Host } }).json().headers.host);
  }
  const response = ws.connect(`${__ENV.WS_URL}/badshake?kind=protos`, (socket) => socket.on('open', () => socket.close()));
  console.log(response.headers['Sec-Websocket-Protocol']);
}
