export const options = {
  scenarios: {
    a: { executor: 'shared-iterations', vus: {}, iterations: { a: 1 } },
    b: { executor: 'per-vu-iterations', vus: { Int64: 2 }, iterations: { Valid: false } },
  },
};
export default function () {}
