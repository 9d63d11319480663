export const options = { stages: 5, vus: 'x' };
export default function () {}
