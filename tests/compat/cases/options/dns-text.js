// A text where an object belongs: exit code 104.
export const options = { dns: 'ttl=5m' };

export default function () {}
