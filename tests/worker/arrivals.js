import { sleep } from 'k6';
const scenarios = {};
for (let most = 1; most <= 5; most += 1) {
  scenarios[`shared_${most}`] = { executor: 'shared-iterations', vus: most, iterations: 13 };
  scenarios[`each_${most}`] = { executor: 'per-vu-iterations', vus: most, iterations: 3 };
  scenarios[`constant_${most}`] = {
    executor: 'constant-vus', vus: most, duration: '1s', exec: 'nap', gracefulStop: '9s',
  };
  scenarios[`ramping_${most}`] = {
    executor: 'ramping-vus', startVUs: 0, exec: 'nap', gracefulStop: '9s',
    stages: [{ duration: '0s', target: most }, { duration: '1s', target: most }],
  };
  for (let first = 0; first <= most; first += 1) {
    const pool = { preAllocatedVUs: first, maxVUs: most, gracefulStop: '9s' };
    scenarios[`rate_${first}_${most}`] = {
      executor: 'constant-arrival-rate', rate: 6, duration: '1s', exec: EXEC, ...pool,
    };
    scenarios[`ramp_${first}_${most}`] = {
      executor: 'ramping-arrival-rate', startRate: 6, stages: [{ duration: '1s', target: 6 }], exec: EXEC,
      ...pool,
    };
  }
}
export const options = { scenarios };
export default function () {}
export function nap() { sleep(1.1); }
