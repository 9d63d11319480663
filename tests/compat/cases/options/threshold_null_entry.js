export const options = { thresholds: { iterations: [null] } };
export default function () {}
