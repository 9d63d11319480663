// A time that is none, which is looked at later: exit code 255.
export const options = { dns: { ttl: 'x' } };

export default function () {}
