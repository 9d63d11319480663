// gRPC calls with checks: one that works, one that the server refuses, one that takes too long.
//
//   pip install 'jsrunner[grpc]'
//   jsrunner run --with-server js_scripts/grpc_echo.js
//   jsrunner run -e GRPC_ADDR=example.com:50051 js_scripts/grpc_echo.js
import { check, group } from 'k6';
import grpc from 'k6/net/grpc';

const ADDRESS = __ENV.GRPC_ADDR || '127.0.0.1:8767';
const ECHO = 'jsrunner.v1.Playground/Echo';

export const options = {
  vus: 5,
  duration: '2s',
  thresholds: {
    checks: ['rate==1'],
    'grpc_req_duration{status:0}': ['p(95)<500'],
  },
};

const client = new grpc.Client();
client.load(['data'], 'playground.proto');

export default function () {
  // A VU keeps its connection.
  if (__ITER === 0) client.connect(ADDRESS, { plaintext: true });

  group('echo', () => {
    const text = `message ${__ITER} of VU ${__VU}`;
    const response = client.invoke(ECHO, { text });
    check(response, {
      'status is OK': (r) => r.status === grpc.StatusOK,
      'the text came back': (r) => r.message.text === text,
    });
  });

  group('refused', () => {
    const response = client.invoke(ECHO, { text: 'no such thing', status: 5 }, { tags: { expected: 'no' } });
    check(response, {
      'status is NotFound': (r) => r.status === grpc.StatusNotFound,
      'the error has its text': (r) => r.error.message === 'no such thing',
    });
  });

  group('late', () => {
    const response = client.invoke(ECHO, { delay_ms: 2000 }, { timeout: '50ms' });
    check(response, { 'status is DeadlineExceeded': (r) => r.status === grpc.StatusDeadlineExceeded });
  });
}
