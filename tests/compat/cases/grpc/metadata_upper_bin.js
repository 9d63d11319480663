// A key that ends in -BIN is no binary key to k6, but one to gRPC: its text is sent as bytes.
import grpc from 'k6/net/grpc';
import { json } from './_lib/show.js';

const client = new grpc.Client();
client.load(['_proto'], 'kit/calls.proto');

export default function () {
  client.connect(__ENV.GRPC_ADDR, { plaintext: true });
  for (const metadata of [{ 'x-BIN': 'text' }, { 'X-Bin': '' }]) {
    const res = client.invoke('kit.calls.Calls/Metadata', {}, { metadata });
    console.log(String(res.status), json(res.message.metadata));
  }
}
