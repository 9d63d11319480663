import { WebSocket, Blob } from 'k6/websockets';
const { ownKeys, deleteProperty } = Reflect;
const without = (all) => {
  for (let i = 0; i < all.length; i += 1) {
    const names = ownKeys(all[i]);
    for (let j = 0; j < names.length; j += 1) {
      if (names[j] !== 'constructor' && names[j] !== 'concat') deleteProperty(all[i], names[j]);
    }
  }
};
const bytes = new Uint8Array(3);
/* change */;
export function setup() {
  const ws = new WebSocket(__ENV.URL, ['a'], { tags: { t: 1 }, headers: { 'X-A': 'b' } });
  let n = 0;
  ws.addEventListener('open', function () {
    ws.send('text'); ws.send(bytes); ws.send(new Blob(['blob', bytes])); ws.ping();
    console.log(ws.bufferedAmount, ws.readyState);
  });
  ws.addEventListener('message', function () {});
  ws.onmessage = async function (e) {
    n += 1;
    console.log(e.data.size, n === 3 ? await e.data.text() : e.data);
    if (n === 3) ws.close(3000, 'é');
  };
  ws.onpong = function (e) { console.log(e.type); };
  ws.onerror = function (e) { console.log(e.error); };
  ws.onclose = function (e) { console.log(e.code, e.reason); };
  setTimeout(function () { console.log('timer'); }, 60);
}
