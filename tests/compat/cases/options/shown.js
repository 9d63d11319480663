// ignore: samples, summary
// What exec.test.options shows: options of all kinds, some as they are understood rather than as they were given.
import { sleep } from 'k6';
import exec from 'k6/execution';

export const options = {
  scenarios: {
    z: { executor: 'shared-iterations', tags: { b: '1', a: '2' }, env: { B: '1', A: '2' }, gracefulStop: '5s' },
    rate: { executor: 'constant-arrival-rate', rate: 1, duration: '1s', preAllocatedVUs: 1, timeUnit: '2s' },
    rates: {
      executor: 'ramping-arrival-rate', stages: [{ target: 1, duration: '1s' }], preAllocatedVUs: 1, startRate: 1,
    },
    ramp: { executor: 'ramping-vus', stages: [{ duration: '1s', target: 1 }] },
  },
  tags: { b: '1', a: '2' },
  hosts: { 'b.test': '127.0.0.1', 'a.test': '127.0.0.1:80' },
  thresholds: {
    iterations: ['count>0'],
    http_reqs: [{ threshold: 'count>=0', abortOnFail: true }],
    iteration_duration: [
      'p(95)<10000',
      { threshold: 'avg<10000', delayAbortEval: '1s' },
      { threshold: 'max<10000', abortOnFail: true, delayAbortEval: 1500 },
    ],
  },
  blacklistIPs: ['10.0.0.1/8', '::1/64'],
  tlsVersion: 'tls1.2',
  tlsCipherSuites: ['TLS_RSA_WITH_AES_128_CBC_SHA', 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305'],
  systemTags: ['url', 'check', 'group'],
  summaryTimeUnit: 'h',
  setupTimeout: 1500,
  rps: 1000n,
  userAgent: '',
};

export default function () {
  if (exec.scenario.name !== 'z') {
    sleep(0.5);
    return;
  }
  console.log(Object.keys(exec.test.options).filter((name) => name !== 'tlsAIAFetch'));
  console.log(JSON.stringify(exec.test.options, (name, value) => (name === 'tlsAIAFetch' ? undefined : value)));
}
