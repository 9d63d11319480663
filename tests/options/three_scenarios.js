import exec from 'k6/execution';
export const options = {
  scenarios: {
    api: { executor: 'shared-iterations', vus: 1, iterations: 2, exec: 'api', tags: { team: 'core' } },
    checkout: {
      executor: 'per-vu-iterations', vus: 3, iterations: 1, exec: 'checkout', env: { PLACE: 'till' },
    },
    db: { executor: 'constant-vus', vus: 1, duration: '1h' },
  },
  thresholds: {
    iterations: ['count>0'],
    'iterations{scenario:api}': ['count>0'],
    'iterations{scenario:checkout}': ['count==3'],
    "iterations{'scenario':'db'}": ['count>0'],
    'iterations{scenario:other}': ['count==0'],
    'iterations{team:core}': ['count>=0'],
  },
};
export function setup() { console.log('setup'); }
export function api() { console.log('api'); }
export function checkout() { console.log(`checkout at the ${__ENV.PLACE}`); }
export default function () { console.log('default'); }
export function handleSummary(data) {
  return { stdout: Object.keys(data.metrics).filter((name) => name.includes('{')).sort().join(' ') };
}
