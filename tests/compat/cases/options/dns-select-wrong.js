// A choice that there is not: exit code 104.
export const options = { dns: { select: 'x' } };

export default function () {}
