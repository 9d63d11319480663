// A number where a text belongs.
export const options = { scenarios: { a: { executor: 'shared-iterations', env: { N: 1 } } } };

export default function () {}
