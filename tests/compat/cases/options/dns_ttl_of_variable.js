// env: K6_DNS=ttl=x
// Scenarios are checked before the ttl.
export const options = { scenarios: { a: { executor: 'constant-vus' } } };
export default function () {}
