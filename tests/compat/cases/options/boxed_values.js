export const options = { iterations: new Number(3), throw: new Boolean(false) };
export default function () {}
