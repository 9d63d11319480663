// A server stream of small messages, which the script counts.
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
client.load([], 'bench.proto');
const count = parseInt(__ENV.ROUNDS || '1000');

export default function () {
  client.connect(__ENV.GRPC_ADDR, { plaintext: true });
  const stream = new grpc.Stream(client, 'bench.Bench/Down');
  let seen = 0;
  stream.on('data', (message) => {
    seen += message.text.length;
  });
  stream.on('end', () => {
    client.close();
    if (seen !== 16 * count) throw new Error(`only ${seen} characters came`);
  });
  stream.write({ count });
  stream.end();
}
