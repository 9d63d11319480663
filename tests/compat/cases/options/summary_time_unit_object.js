// also: summary
export const options = { iterations: 2, summaryTimeUnit: { String: 's' } };
export default function () {}
