// The value that handlers of `error` get: the fields of Go's error and its method, no Error.
import ws from 'k6/ws';

const show = (e) => {
  const names = [];
  for (const name in e) {
    names.push(`${name}:${typeof e[name]}`);
  }
  console.log(names.join(), Object.keys(e).join(), JSON.stringify(e), e.constructor === Object, 'error' in e);
  console.log(String(e), '|', e.error(), '|', e.code, e.text, e.message);
  console.log([e], { e });
  const { error } = e;
  console.log(error(), JSON.stringify({ ...e }));
  try {
    e.added = 1;
  } catch (x) {
    console.log(x.name, e.added);
  }
  try {
    e.error = null;
  } catch (x) {
    console.log(x.name, typeof e.error);
  }
};

export default function () {
  ws.connect(`${__ENV.WS_URL}/close?code=1011&reason=why`, (socket) => socket.on('error', show));
  ws.connect(`${__ENV.WS_URL}/echo`, (socket) => {
    socket.on('open', () => socket.close());
    socket.on('close', () => socket.send('too late'));
    socket.on('error', show);
  });
  try {
    ws.connect();
  } catch (e) {
    console.log(e.name, Object.keys(e.value).join());
  }
}
