// maxReceiveSize and maxSendSize; without them 4 MiB may come and anything may go; 0 means the default.
import { sleep } from 'k6';
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
client.load(['_proto'], 'kit/calls.proto');

function call(label, size, payload, params) {
  client.connect(__ENV.GRPC_ADDR, { plaintext: true, ...params });
  const res = client.invoke('kit.calls.Calls/Unary', { size, payload });
  console.log(label, String(res.status), res.error && res.error.message, res.message.payload.length, res.message.got);
  client.close();
}

export default function () {
  call('receive 100 of 100', 90, '', { maxReceiveSize: 100 });
  call('receive 203 of 100', 200, '', { maxReceiveSize: 100 });
  call('send 13 of 20', 0, 'A'.repeat(12), { maxSendSize: 20 });
  call('send more than 20', 0, 'A'.repeat(40), { maxSendSize: 20 });
  call('the default', 4194304, '', {});
  call('zero', 4194304, '', { maxReceiveSize: 0, maxSendSize: 0 });
  call('raised', 5000000, '', { maxReceiveSize: 6000000 });
  call('large out', 0, 'A'.repeat(6000000), {});
  sleep(1.2); // samples of VUs are taken once a second
}
