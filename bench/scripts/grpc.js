// Unary calls: every VU has a connection, and sends 100 bytes when the last answer is back.
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
client.load([], 'bench.proto');
const request = { number: 5, text: 'x'.repeat(96) };

export default function () {
  if (__ITER === 0) client.connect(__ENV.GRPC_ADDR, { plaintext: true });
  const response = client.invoke('bench.Bench/Echo', request);
  if (response.status !== grpc.StatusOK || response.message.text.length !== 96) throw new Error(response.error.message);
}
