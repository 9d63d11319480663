export const options = { dns: { ttl: 'x', select: 'y', policy: 'z' } };
export default function () {}
